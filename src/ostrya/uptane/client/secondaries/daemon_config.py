# SPDX-License-Identifier: Apache-2.0
"""What an ECU at its own end of the wire is told: TOML, of aktualizr-secondary's sections.

::

    [network]     port (9030), primary_ip, primary_port (9040); ours: address, tls_ca, tls_cert,
                  tls_key
    [uptane]      ecu_serial, ecu_hardware_id, key_type, verification_type,
                  force_install_completion
    [pacman]      type, os, sysroot, booted, images_path
    [storage]     path, sqldb_path
    [import]      base_path
    [bootloader]  reboot_command, reboot_sentinel_dir, reboot_sentinel_name, rollback_mode

The Primary's own sections are as in its configuration; what is not said there is as there.

Source: aktualizr's AktualizrSecondaryConfig.
"""

from __future__ import annotations

import os
import socket
import tomllib
from typing import TYPE_CHECKING, TypeVar

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.config import (
    Booted,
    BootloaderSection,
    PackageManager,
    RollbackMode,
)
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.link import DEFAULT_PORT, LinkTls
from ostrya.uptane.errors import ConfigError
from ostrya.uptane.metadata.secret_keys import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 256 * 1024
PRIMARY_PORT = 9040
T = TypeVar("T")
_SECTIONS: Mapping[str, frozenset[str]] = {
    "network": frozenset(
        {"port", "primary_ip", "primary_port", "address", "tls_ca", "tls_cert", "tls_key"}
    ),
    "uptane": frozenset({
        "ecu_serial", "ecu_hardware_id", "key_source", "key_type", "verification_type",
        "force_install_completion",
    }),
    "pacman": frozenset({
        "type", "os", "sysroot", "booted", "images_path", "ostree_server", "packages_file",
    }),
    "storage": frozenset({"type", "path", "sqldb_path"}),
    "import": frozenset({"base_path"}),
    "bootloader": frozenset(
        {"reboot_command", "reboot_sentinel_dir", "reboot_sentinel_name", "rollback_mode"}
    ),
    "logger": frozenset({"loglevel"}),
}  # fmt: skip


class EcuConfig(NamedTuple):
    """What an ECU is told.

    Attributes:
        serial: What it is called; empty for the id of its key.
        hardware_id: What kind it is.
        key_kind: Of the key that is made for it.
        verification: What it verifies.
        restarts: Whether it restarts by itself where an installation needs that.
        address: Where it listens; empty for everywhere.
        port: Of TCP.
        primary: Whom it tells that it is there; None for nobody.
        tls: Who it is on the link; None to speak in the clear.
        manager: What installs images.
        stateroot: The system that is updated; empty for the running one.
        sysroot: Where deployments are.
        booted: Which of them counts as running.
        images_path: Where a file that is an image is.
        folder: Where it keeps what it knows.
        database_path: The database in it.
        import_path: Where first roots are that it was given.
        bootloader: How it restarts.
        warnings: What is not known.
    """

    serial: str = ""
    hardware_id: str = ""
    key_kind: str = "rsa2048"
    verification: Verification = Verification.FULL
    restarts: bool = False
    address: str = ""
    port: int = DEFAULT_PORT
    primary: tuple[str, int] | None = None
    tls: LinkTls | None = None
    manager: PackageManager = PackageManager.OSTREE
    stateroot: str = ""
    sysroot: str = "/"
    booted: Booted = Booted.BOOTED
    images_path: str = "/var/sota/images"
    folder: str = "/var/sota"
    database_path: str = "/var/sota/secondary.db"
    import_path: str = "/var/sota/import"
    bootloader: BootloaderSection = BootloaderSection()
    warnings: tuple[str, ...] = ()


def read_ecu_config(path: str) -> EcuConfig:
    """Read a file.

    Raises:
        ConfigError: It is not there, or has something that cannot be used.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path} is larger than a configuration may be")
        found = tomllib.loads(data.decode())
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ConfigError(f"{path} is no TOML: {exc}") from None
    return _build(_Values(found, path))


class _Values:
    """The values of a file, each looked at by what it has to be."""

    def __init__(self, found: Mapping[str, object], where: str) -> None:
        self._found = found
        self.where = where

    def warnings(self) -> tuple[str, ...]:
        told = []
        for section, table in self._found.items():
            known = _SECTIONS.get(section)
            if known is None or not isinstance(table, dict):
                told.append(f"{self.where}: [{section}] is not known")
            else:
                told += [
                    f"{self.where}: {key} of [{section}] is not known"
                    for key in table
                    if key not in known
                ]
        return tuple(told)

    def value(self, section: str, key: str) -> object:
        table = self._found.get(section)
        return table.get(key) if isinstance(table, dict) else None

    def text(self, section: str, key: str, default: str = "") -> str:
        value = self.value(section, key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise ConfigError(f"{self.where}: {key} of [{section}] is a text")
        return value

    def word(self, section: str, key: str, known: Mapping[str, T], default: T) -> T:
        value = self.text(section, key)
        if not value:
            return default
        for name, one in known.items():
            if name.lower() == value.lower():
                return one
        raise ConfigError(f"{self.where}: {key} of [{section}] is one of {', '.join(known)}")

    def port(self, section: str, key: str, default: int) -> int:
        value = self.value(section, key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 65536:
            raise ConfigError(f"{self.where}: {key} of [{section}] is no port")
        return value

    def is_set(self, section: str, key: str) -> bool:
        value = self.value(section, key)
        if value is not None and not isinstance(value, bool):
            raise ConfigError(f"{self.where}: {key} of [{section}] is true or false")
        return value is True


def _build(values: _Values) -> EcuConfig:
    folder = values.text("storage", "path", "/var/sota")
    database = values.text("storage", "sqldb_path", "secondary.db")
    primary = values.text("network", "primary_ip")
    port = values.port("network", "primary_port", PRIMARY_PORT)
    managers = {one.value: one for one in PackageManager}
    return EcuConfig(
        values.text("uptane", "ecu_serial"),
        values.text("uptane", "ecu_hardware_id") or socket.gethostname(),
        values.word("uptane", "key_type", {one: one for one in KINDS}, "rsa2048"),
        values.word(
            "uptane", "verification_type", {one.value: one for one in Verification},
            Verification.FULL,
        ),
        values.is_set("uptane", "force_install_completion"),
        values.text("network", "address"),
        values.port("network", "port", DEFAULT_PORT),
        (primary, port) if primary else None,
        _tls(values),
        values.word("pacman", "type", managers, PackageManager.OSTREE),
        values.text("pacman", "os"),
        values.text("pacman", "sysroot") or "/",
        values.word("pacman", "booted", {one.value: one for one in Booted}, Booted.BOOTED),
        values.text("pacman", "images_path", "/var/sota/images"),
        folder,
        database if os.path.isabs(database) else os.path.join(folder, database),
        values.text("import", "base_path", "/var/sota/import"),
        _bootloader(values),
        values.warnings(),
    )  # fmt: skip


def _tls(values: _Values) -> LinkTls | None:
    files = [values.text("network", key) for key in ("tls_ca", "tls_cert", "tls_key")]
    if not any(files):
        return None
    if not all(files):
        raise ConfigError(f"{values.where}: tls_ca, tls_cert and tls_key belong together")
    return LinkTls(*files)


def _bootloader(values: _Values) -> BootloaderSection:
    usual = BootloaderSection()
    modes = {one.value: one for one in RollbackMode}
    return BootloaderSection(
        values.word("bootloader", "rollback_mode", modes, usual.rollback_mode),
        values.text("bootloader", "reboot_sentinel_dir", usual.reboot_sentinel_dir),
        values.text("bootloader", "reboot_sentinel_name", usual.reboot_sentinel_name),
        values.text("bootloader", "reboot_command", usual.reboot_command),
    )
