# SPDX-License-Identifier: Apache-2.0
"""What a recipe says, as values. Pure.

Paths are those of files on the machine that builds. What keys mean is written in ``keys``; here are
only their types, and ``where`` each thing was written, for messages of later steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.image.recipe.located import Where

Scalar = str | int | bool


class SourceWish(NamedTuple):
    """``[source]``."""

    kind: str = "auto"
    path: str = ""
    ref: str = ""
    suite: str = ""
    mirrors: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    variant: str = ""
    architecture: str = ""
    packages: tuple[str, ...] = ()
    keyring: str = ""
    left_out: tuple[str, ...] = ()


class ConvertWish(NamedTuple):
    """``[convert]``."""

    ramdisk: str = "gzip"
    drop: tuple[str, ...] = ()
    kernel: str = ""
    var: tuple[tuple[str, Scalar], ...] = ()
    links: tuple[tuple[str, Scalar], ...] = ()
    resolv: str = "keep"
    boot_files: tuple[str, ...] = ()
    accounts: str = "fail"
    selinux: bool = True


class Rule(NamedTuple):
    """``[[overlays.rules]]``; empty is as it is."""

    match: str
    owner: str = ""
    group: str = ""
    mode: int | None = None
    dir_mode: int | None = None


class Overlay(NamedTuple):
    """``[[overlays]]``."""

    where: Where
    path: str
    target: str = "/"
    owner: str = "0"
    group: str = "0"
    rules: tuple[Rule, ...] = ()


class FileWish(NamedTuple):
    """``[[files]]``; one of text, source, link and directory."""

    where: Where
    path: str
    text: str | None = None
    source: str = ""
    link: str = ""
    directory: bool = False
    owner: str = "0"
    group: str = "0"
    mode: int | None = None


class Account(NamedTuple):
    """``[[users]]`` and ``[root]``; None is as it is, or as is usual."""

    name: str
    uid: int | None = None
    gid: int | None = None
    groups: tuple[str, ...] = ()
    comment: str = ""
    home: str = ""
    system: bool = False
    password_hash: str | None = None
    shell: str = ""
    ssh_keys: tuple[str, ...] = ()
    ssh_key_files: tuple[str, ...] = ()


class Group(NamedTuple):
    """``[[groups]]``."""

    name: str
    gid: int | None = None


class System(NamedTuple):
    """``[system]``."""

    hostname: str = ""
    timezone: str = ""
    locale: str = ""
    keymap: str = ""
    remove: tuple[str, ...] = ()


class Services(NamedTuple):
    """``[services]``."""

    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()


class Interface(NamedTuple):
    """``[[network.interfaces]]``."""

    name: str = ""
    mac: str = ""
    dhcp: bool = True
    addresses: tuple[str, ...] = ()
    gateway: str = ""
    dns: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    metric: int | None = None


class Wifi(NamedTuple):
    """``[[network.wifi]]``."""

    ssid: str
    passphrase: str = ""
    hidden: bool = False
    priority: int = 0


class Network(NamedTuple):
    """``[network]``."""

    backend: str = "auto"
    interfaces: tuple[Interface, ...] = ()
    wifi: tuple[Wifi, ...] = ()
    wifi_interface: str = "wlan0"
    country: str = ""
    ntp: tuple[str, ...] = ()


class DeviceTree(NamedTuple):
    """``[device_tree]``."""

    files: tuple[str, ...] = ()
    default: str = ""
    overlays: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class Splash(NamedTuple):
    """``[splash]``."""

    image: str = ""
    background: str = "#000000"


class RemoteWish(NamedTuple):
    """``[[remotes]]``."""

    name: str
    url: str
    verify: str
    keys: tuple[str, ...] = ()
    key_files: tuple[str, ...] = ()
    settings: tuple[tuple[str, Scalar], ...] = ()


class Update(NamedTuple):
    """``[update]``."""

    automatic: str = "no"
    every: str = "1d"
    spread: str = "1h"
    rollback_tries: int | None = None
    rollback_fail_fast: bool = False
    settings: tuple[tuple[str, Scalar], ...] = ()
    ostrya: str = "auto"


class Ota(NamedTuple):
    """``[ota]``."""

    credentials: str = ""
    server: str = ""
    hardware_id: str = ""
    polling_sec: int | None = None
    ca: str = ""
    certificate: str = ""
    key: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    config_files: tuple[str, ...] = ()

    @property
    def is_wanted(self) -> bool:
        """Whether anything is said."""
        return self != Ota()


class Provisioning(NamedTuple):
    """``[provisioning]``."""

    enable: bool = False
    boot_files: tuple[str, ...] = ()
    defaults: str = ""


class PartitionWant(NamedTuple):
    """``[[partitions]]``."""

    name: str
    size_bytes: int
    filesystem: str = "ext4"
    label: str = ""
    mountpoint: str = ""
    options: tuple[str, ...] = ()
    contents: str = ""
    type: str = ""
    after_root: bool = False


class RepositoryWish(NamedTuple):
    """``[repository]``."""

    path: str = ""
    collection_id: str = ""
    sign_keys: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""


class Recipe(NamedTuple):
    """A whole recipe."""

    file: str
    name: str = "os"
    version: str = ""
    board: str = ""
    ref: str = "os/stable"
    stateroot: str = "os"
    size_bytes: int = 0
    timestamp: int | None = None
    outputs: tuple[str, ...] = ()
    source: SourceWish = SourceWish()
    convert: ConvertWish = ConvertWish()
    kernel_arguments: tuple[str, ...] = ()
    kernel_modules: tuple[str, ...] = ()
    device_tree: DeviceTree = DeviceTree()
    overlays: tuple[Overlay, ...] = ()
    files: tuple[FileWish, ...] = ()
    system: System = System()
    root: Account = Account("root")
    users: tuple[Account, ...] = ()
    groups: tuple[Group, ...] = ()
    services: Services = Services()
    splash: Splash = Splash()
    network: Network = Network()
    remotes: tuple[RemoteWish, ...] = ()
    update: Update = Update()
    ota: Ota = Ota()
    provisioning: Provisioning = Provisioning()
    grow: bool = False
    wks: str = ""
    partitions: tuple[PartitionWant, ...] = ()
    repository: RepositoryWish = RepositoryWish()
    firmware: str = ""
