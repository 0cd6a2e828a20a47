# SPDX-License-Identifier: Apache-2.0
"""What configures a device's client: aktualizr's sections and keys, and ours. Pure.

Each class is a section, each field a key; a name that is a word of Python's has ``_`` behind it.
What the fields say here is what the page of the documentation says, which is made of them.

Source: aktualizr's AktualizrConfig; TDX's keys for updates without a network. Keys marked with
*ours* are not aktualizr's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class KeySource(StrEnum):
    """Where a key is."""

    FILE = "file"
    PKCS11 = "pkcs11"


class KeyType(StrEnum):
    """Kinds of keys that sign reports."""

    RSA2048 = "RSA2048"
    RSA3072 = "RSA3072"
    RSA4096 = "RSA4096"
    ED25519 = "ED25519"


class ProvisionMode(StrEnum):
    """How a device becomes one of a fleet's."""

    DEFAULT = ""
    SHARED = "SharedCred"
    REUSED = "SharedCredReuse"
    DEVICE = "DeviceCred"


class PackageManager(StrEnum):
    """What installs what the Primary shall run."""

    OSTREE = "ostree"
    NONE = "none"


class Booted(StrEnum):
    """Which deployment counts as the one that runs."""

    BOOTED = "booted"
    STAGED = "staged"


class RollbackMode(StrEnum):
    """What a boot loader is told of an update."""

    NONE = "none"
    UBOOT_GENERIC = "uboot_generic"
    UBOOT_MASKED = "uboot_masked"


class DirectorFilesMode(StrEnum):
    """Which files a Director has."""

    ALL = "all"
    TARGETS_ONLY = "targets-only"


class ConsentMode(StrEnum):
    """Whether somebody has to say yes to an update."""

    NONE = "none"
    REQUIRED = "required"


class LoggerSection(NamedTuple):
    """What is told.

    Attributes:
        loglevel: From 0, everything, to 5, what ends the program.
    """

    loglevel: int = 2


class P11Section(NamedTuple):
    """A token that keeps keys: PKCS#11.

    Attributes:
        module: The library that speaks to the token.
        pass_: The user's PIN.
        uptane_key_id: The id of the key that signs reports, in hexadecimal digits.
        tls_cacert_id: The id of the authority's certificate.
        tls_pkey_id: The id of the device's key.
        tls_clientcert_id: The id of the device's certificate.
        label: *Ours*: the label of the token, where the module has more than one.
    """

    module: str = ""
    pass_: str = ""
    uptane_key_id: str = ""
    tls_cacert_id: str = ""
    tls_pkey_id: str = ""
    tls_clientcert_id: str = ""
    label: str = ""


class TlsSection(NamedTuple):
    """Who the server is, and who the device is for it.

    Attributes:
        server: The gateway's address; without it, what `server_url_path` says, or the credentials.
        server_url_path: A file with the address.
        ca_source: Where the authority's certificate is: `file` or `pkcs11`.
        pkey_source: Where the device's key is.
        cert_source: Where the device's certificate is.
        image_ca_path: *Ours*: authorities that vouch for other hosts, from which images come;
            without it, only the fleet's own does.
        plain_http_on_loopback: *Ours*, for tests: speak HTTP without TLS to this machine itself.
    """

    server: str = ""
    server_url_path: str = ""
    ca_source: KeySource = KeySource.FILE
    pkey_source: KeySource = KeySource.FILE
    cert_source: KeySource = KeySource.FILE
    image_ca_path: str = ""
    plain_http_on_loopback: bool = False


class NetworkSection(NamedTuple):
    """*Ours*: how the network is used.

    Attributes:
        proxy: A proxy's URL; empty for none.
        no_proxy: Hosts that are asked without it, with commas between.
        request_timeout_sec: How long a small request may take, connection and all.
        low_speed_limit: Bytes a second that a download has to come with.
        low_speed_time_sec: For so long it may come slower.
        retries: How often a request is sent again where that may help.
        max_redirects: How often a server may send the device elsewhere, for one request.
    """

    proxy: str = ""
    no_proxy: str = ""
    request_timeout_sec: int = 60
    low_speed_limit: int = 5000
    low_speed_time_sec: int = 60
    retries: int = 2
    max_redirects: int = 10


class ProvisionSection(NamedTuple):
    """How the device becomes one of the fleet's.

    Attributes:
        server: Where devices are provisioned; without it, the gateway.
        p12_password: Of the PKCS#12 in the credentials.
        expiry_days: For how many days the device's certificate is asked.
        provision_path: The `credentials.zip` that is shared by the fleet.
        device_id: What the server calls the device; without it, the common name of its
            certificate, or a name that is made up.
        primary_ecu_serial: Of the Primary; without it, the id of its key.
        primary_ecu_hardware_id: What kind of board it is; without it, the host's name.
        ecu_registration_endpoint: Where ECUs are registered; without it, `ecus` of the Director.
        mode: `SharedCred`, `SharedCredReuse` (for tests) or `DeviceCred`; without it, the first
            where there is a `provision_path`, else the last.
        trust_on_first_use: *Ours*: whether a device that was given no roots takes the first ones
            that the server has.
    """

    server: str = ""
    p12_password: str = ""
    expiry_days: str = "36000"
    provision_path: str = ""
    device_id: str = ""
    primary_ecu_serial: str = ""
    primary_ecu_hardware_id: str = ""
    ecu_registration_endpoint: str = ""
    mode: ProvisionMode = ProvisionMode.DEFAULT
    trust_on_first_use: bool = True


class UptaneSection(NamedTuple):
    """How updates are found and agreed on.

    Attributes:
        polling_sec: Seconds between two questions for updates.
        director_server: Without it, `director` of the gateway.
        repo_server: Without it, `repo` of the gateway.
        key_source: Where the key is that signs reports: `file` or `pkcs11`.
        key_type: `RSA2048`, `RSA3072`, `RSA4096` or `ED25519`.
        force_install_completion: Restart at once where an update needs it.
        secondary_config_file: The JSON file that names Secondaries.
        secondary_preinstall_wait_sec: For how long Secondaries are waited for.
        enable_online_updates: Whether the server is asked for updates (as in TDX).
        enable_offline_updates: Whether updates are looked for in `offline_updates_source`.
        offline_updates_source: Where a medium with a lockbox appears.
        update_lock_file: No update begins while another program holds this file locked.
        director_files: *Ours*: `all`, or `targets-only` for a server that has no more of them.
        install_attempts: *Ours*: how often an image is tried before it is given up.
        vehicle_id: *Ours*: what the Director calls the vehicle; without it, the device's id.
        max_polling_sec: *Ours*: the longest pause after failures, which double it each time.
    """

    polling_sec: int = 10
    director_server: str = ""
    repo_server: str = ""
    key_source: KeySource = KeySource.FILE
    key_type: KeyType = KeyType.RSA2048
    force_install_completion: bool = False
    secondary_config_file: str = ""
    secondary_preinstall_wait_sec: int = 600
    enable_online_updates: bool = True
    enable_offline_updates: bool = False
    offline_updates_source: str = "/mnt/offline-updates"
    update_lock_file: str = ""
    director_files: DirectorFilesMode = DirectorFilesMode.ALL
    install_attempts: int = 3
    vehicle_id: str = ""
    max_polling_sec: int = 3600


class PacmanSection(NamedTuple):
    """What installs what the Primary shall run.

    Attributes:
        type: `ostree`, or `none` for files.
        os: The name of the operating system; without it, that of the deployment that runs.
        sysroot: Where the deployments are; without it, `/`.
        ostree_server: Without it, `treehub` of the gateway.
        images_path: Where files are kept that were downloaded.
        packages_file: A list of packages, a name and a version on each line.
        fake_need_reboot: For tests: a file counts only after a restart.
        booted: `staged` to take the deployment for running that is only prepared.
        min_free_mib: *Ours*: MiB that stay free when something is downloaded.
        extra: All other keys, as text: they are the package manager's own.
    """

    type: PackageManager = PackageManager.OSTREE
    os: str = ""
    sysroot: str = ""
    ostree_server: str = ""
    images_path: str = "/var/sota/images"
    packages_file: str = "/usr/package.manifest"
    fake_need_reboot: bool = False
    booted: Booted = Booted.BOOTED
    min_free_mib: int = 16
    extra: Mapping[str, str] = {}


class StorageSection(NamedTuple):
    """Where the device keeps what it knows.

    Attributes:
        type: `sqlite`; there is no other.
        path: The folder.
        sqldb_path: The database in it.
    """

    type: str = "sqlite"
    path: str = "/var/sota"
    sqldb_path: str = "sql.db"


class ImportSection(NamedTuple):
    """What the device is given when it is made; copied at a start.

    Attributes:
        base_path: The folder that other paths begin at; `director/root.json`, `repo/root.json` and
            `installed_versions` are looked for there.
        tls_cacert_path: The authority's certificate.
        tls_pkey_path: The device's key.
        tls_clientcert_path: The device's certificate.
        uptane_private_key_path: The key that signs reports.
        uptane_public_key_path: Its public half.
    """

    base_path: str = "/var/sota/import"
    tls_cacert_path: str = ""
    tls_pkey_path: str = ""
    tls_clientcert_path: str = ""
    uptane_private_key_path: str = ""
    uptane_public_key_path: str = ""


class TelemetrySection(NamedTuple):
    """What the server is told of the device.

    Attributes:
        report_network: Its address and name.
        report_config: This configuration, without passwords.
        report_hardware: *Ours*: what `lshw` finds.
        report_packages: *Ours*: the packages that are installed.
        hardware_command: *Ours*: what is run in place of `lshw -json`.
    """

    report_network: bool = True
    report_config: bool = True
    report_hardware: bool = True
    report_packages: bool = True
    hardware_command: str = ""


class BootloaderSection(NamedTuple):
    """How the device restarts.

    Attributes:
        rollback_mode: `none`, `uboot_generic` or `uboot_masked`.
        reboot_sentinel_dir: A folder that does not survive a restart.
        reboot_sentinel_name: The file in it that says that there was none yet.
        reboot_command: Empty for none.
    """

    rollback_mode: RollbackMode = RollbackMode.NONE
    reboot_sentinel_dir: str = "/var/run/aktualizr-session"
    reboot_sentinel_name: str = "need_reboot"
    reboot_command: str = "/sbin/reboot"


class ControlSection(NamedTuple):
    """*Ours*: how programs on the device speak to the client.

    Attributes:
        socket: The socket; empty for none.
        group: Whose members may use it, besides root.
        consent: `required` where somebody has to say yes to each update, through the socket.
    """

    socket: str = "/run/ostrya-ota/control.sock"
    group: str = ""
    consent: ConsentMode = ConsentMode.NONE


class ClientConfig(NamedTuple):
    """The whole configuration; each field is the section of its name."""

    logger: LoggerSection = LoggerSection()
    p11: P11Section = P11Section()
    tls: TlsSection = TlsSection()
    network: NetworkSection = NetworkSection()
    provision: ProvisionSection = ProvisionSection()
    uptane: UptaneSection = UptaneSection()
    pacman: PacmanSection = PacmanSection()
    storage: StorageSection = StorageSection()
    import_: ImportSection = ImportSection()
    telemetry: TelemetrySection = TelemetrySection()
    bootloader: BootloaderSection = BootloaderSection()
    control: ControlSection = ControlSection()

    @property
    def provision_mode(self) -> ProvisionMode:
        """How the device is provisioned: what is said, or what follows from the rest."""
        if self.provision.mode is not ProvisionMode.DEFAULT:
            return self.provision.mode
        has_zip = bool(self.provision.provision_path)
        return ProvisionMode.SHARED if has_zip else ProvisionMode.DEVICE

    @property
    def database_path(self) -> str:
        """Where the database is."""
        path = self.storage.sqldb_path
        return path if path.startswith("/") else f"{self.storage.path.rstrip('/')}/{path}"

    def import_path(self, path: str) -> str:
        """Return where a file is that is imported; empty where none is named."""
        if not path or path.startswith("/"):
            return path
        return f"{self.import_.base_path.rstrip('/')}/{path}"
