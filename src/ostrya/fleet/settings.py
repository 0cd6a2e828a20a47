# SPDX-License-Identifier: Apache-2.0
"""``fleet.toml``: what the owner of a server decides.

Only what differs from the usual has to be in the file. Unknown sections and keys are refused, so
that no decision is lost to a slip of the pen.
"""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, TypeAlias, get_type_hints
from urllib.parse import urlsplit

from ostrya.fleet.errors import SetupError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "fleet.toml"
Value: TypeAlias = "str | int | bool | tuple[str, ...]"


class Server(NamedTuple):
    """``[server]``.

    Attributes:
        name: What the fleet is called.
        hostnames: By which devices reach the server.
        listen: Where devices are expected.
        admin_listen: Where tools are expected over TLS; empty for nowhere.
        url: The address of the gateway; empty for one made of the above.
        admin_url: The same for tools.
        max_connections: How many are open at a time, at each door.
        max_connections_per_device: How many of them one device may have.
        max_connections_per_address: How many come from one address and are not known as a device's.
        handshake_timeout_s: How long TLS may take.
        idle_timeout_s: How long one may be silent between requests.
        request_timeout_s: How long a request may take to arrive, or an answer to be taken.
        slowest_bytes_per_s: For each so many bytes, that may take a second more.
        shutdown_timeout_s: How long requests may take to end when the server does.
    """

    name: str = "fleet"
    hostnames: tuple[str, ...] = ("localhost",)
    listen: str = "0.0.0.0:8443"  # devices come from everywhere
    admin_listen: str = "0.0.0.0:8444"  # likewise tools
    url: str = ""
    admin_url: str = ""
    max_connections: int = 4096
    max_connections_per_device: int = 80
    max_connections_per_address: int = 256
    handshake_timeout_s: int = 15
    idle_timeout_s: int = 75
    request_timeout_s: int = 60
    slowest_bytes_per_s: int = 512
    shutdown_timeout_s: int = 20


class Database(NamedTuple):
    """``[database]``.

    Attributes:
        url: Of SQLAlchemy; empty for ``fleet.db`` beside the settings.
        pool: Most connections for reading.
    """

    url: str = ""
    pool: int = 8


class Devices(NamedTuple):
    """``[devices]``.

    Attributes:
        shared_provisioning: Whether devices may register with the shared credentials.
        allow_ecu_replacement: Whether a device may change its ECUs once they are registered.
        certificate_days: For how long the certificate of a device is good at most.
        max_ecus: How many a device may have.
    """

    shared_provisioning: bool = True
    allow_ecu_replacement: bool = True
    certificate_days: int = 36500
    max_ecus: int = 256


class Metadata(NamedTuple):
    """``[metadata]``: for how long what the server signs is to be believed.

    Attributes:
        targets_hours: Of a vehicle's Targets.
        snapshot_hours: Of snapshots.
        timestamp_hours: Of timestamps.
        refresh_hours: With how much of it left it is signed anew.
    """

    targets_hours: int = 31 * 24
    snapshot_hours: int = 31 * 24
    timestamp_hours: int = 24
    refresh_hours: int = 1


class Limits(NamedTuple):
    """``[limits]``: how much is read of what is sent.

    Attributes:
        manifest_bytes: Of a manifest.
        events_bytes: Of events.
        device_data_bytes: Of what a device says of its hardware, its network and its settings.
        object_bytes: Of an object of a commit.
        image_bytes: Of an image that is a file.
        metadata_bytes: Of signed metadata.
        request_bytes: Of any other request.
        events_kept: How many events are kept for each device.
    """

    manifest_bytes: int = 1024 * 1024
    events_bytes: int = 1024 * 1024
    device_data_bytes: int = 4 * 1024 * 1024
    object_bytes: int = 8 * 1024**3
    image_bytes: int = 64 * 1024**3
    metadata_bytes: int = 64 * 1024 * 1024
    request_bytes: int = 1024 * 1024
    events_kept: int = 1000


class Settings(NamedTuple):
    """All of it.

    Attributes:
        folder: Where the file is.
    """

    folder: str
    server: Server = Server()
    database: Database = Database()
    devices: Devices = Devices()
    metadata: Metadata = Metadata()
    limits: Limits = Limits()

    def path(self, *parts: str) -> str:
        """Return a path below the folder."""
        return os.path.join(self.folder, *parts)

    @property
    def database_url(self) -> str:
        """Where the database is, for SQLAlchemy."""
        return self.database.url or f"sqlite:///{os.path.abspath(self.path('fleet.db'))}"

    @property
    def gateway_url(self) -> str:
        """The address that devices are told."""
        return self.server.url.rstrip("/") or self._address(self.server.listen)

    @property
    def admin_url(self) -> str:
        """The address that tools are told; empty if there is none."""
        if not self.server.admin_listen:
            return ""
        return self.server.admin_url.rstrip("/") or self._address(self.server.admin_listen)

    def _address(self, listen: str) -> str:
        host = self.server.hostnames[0] if self.server.hostnames else "localhost"
        shown = f"[{host}]" if ":" in host else host
        return f"https://{shown}:{parse_listen(listen)[1]}"


_SECTIONS = {
    "server": Server,
    "database": Database,
    "devices": Devices,
    "metadata": Metadata,
    "limits": Limits,
}
_POSITIVE_FROM = {"refresh_hours": 0, "shutdown_timeout_s": 0}


def read_settings(folder: str) -> Settings:
    """Read the settings of a server.

    Raises:
        SetupError: There are none, or one is not understood.
    """
    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as stream:
            values = tomllib.load(stream)
    except FileNotFoundError:
        raise SetupError(
            f"there is no server in {folder}", hint="`ostrya fleet init DIR` makes one"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SetupError(f"{path} is no TOML: {exc}") from None
    return parse_settings(folder, values)


def parse_settings(folder: str, values: Mapping[str, object]) -> Settings:
    """Parse settings.

    Raises:
        SetupError: One is not understood.
    """
    path = os.path.join(folder, FILE)
    sections: dict[str, dict[str, Value]] = {name: {} for name in _SECTIONS}
    for name, section in values.items():
        if name not in _SECTIONS or not isinstance(section, dict):
            raise SetupError(
                f"{path} has a section [{name}], which is not known",
                hint=f"there are {', '.join(_SECTIONS)}",
            )
        sections[name] = _read_section(path, name, section)
    settings = Settings(
        folder,
        Server(**sections["server"]),  # type: ignore[arg-type]  # each is of its field's kind
        Database(**sections["database"]),  # type: ignore[arg-type]
        Devices(**sections["devices"]),  # type: ignore[arg-type]
        Metadata(**sections["metadata"]),  # type: ignore[arg-type]
        Limits(**sections["limits"]),  # type: ignore[arg-type]
    )
    for listen in (settings.server.listen, settings.server.admin_listen):
        if listen:
            parse_listen(listen)
    for name in ("url", "admin_url"):
        _check_address(getattr(settings.server, name), f"{name} in [server] of {path}")
    if settings.metadata.refresh_hours >= settings.metadata.timestamp_hours:
        raise SetupError(f"{path}: refresh_hours has to be less than timestamp_hours")
    return settings


def _check_address(text: str, what: str) -> None:
    if not text:
        return
    found = urlsplit(text)
    if found.scheme != "https" or not found.hostname or found.query or found.fragment:
        raise SetupError(
            f"{what} is {text!r}, which is no address of this server",
            hint="it has the form https://HOST[:PORT]: all are spoken to by TLS alone",
        )


def _read_section(path: str, name: str, section: Mapping[str, object]) -> dict[str, Value]:
    known = get_type_hints(_SECTIONS[name])
    found: dict[str, Value] = {}
    for key, value in section.items():
        if key not in known:
            raise SetupError(
                f"{path} has {key} in [{name}], which is not known",
                hint=f"there are {', '.join(known)}",
            )
        found[key] = _read_value(f"{key} in [{name}] of {path}", known[key], value, key)
    return found


def _read_value(what: str, kind: object, value: object, key: str) -> Value:
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str):
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        if value < _POSITIVE_FROM.get(key, 1):
            raise SetupError(f"{what} is {value}, which is too little")
        return value
    if kind not in {bool, str, int} and isinstance(value, list):
        texts = tuple(one for one in value if isinstance(one, str))
        if len(texts) == len(value):
            return texts
    raise SetupError(f"{what} is {value!r}, which it cannot be")


def parse_listen(text: str) -> tuple[str, int]:
    """Parse an address to listen at: HOST:PORT, [HOST]:PORT for IPv6.

    Raises:
        SetupError: It is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise SetupError(f"{text!r} is no address to listen at", hint="it has the form HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def write_settings(settings: Settings) -> str:
    """Return the text of a file with what its owner usually looks at."""
    server = settings.server
    names = ", ".join(_quoted(one) for one in server.hostnames)
    lines = [
        "# Settings of this server; docs/reference/fleet.md has all of them.",
        "",
        "[server]",
        f"name = {_quoted(server.name)}",
        f"hostnames = [{names}]",
        "# Where devices are expected, and where tools are.",
        f"listen = {_quoted(server.listen)}",
        f"admin_listen = {_quoted(server.admin_listen)}",
        "# Addresses that devices and tools are told, if others than the above.",
        f"url = {_quoted(server.url)}",
        f"admin_url = {_quoted(server.admin_url)}",
        "",
        "[database]",
        "# Empty for fleet.db in this folder; postgresql+psycopg://USER:PASSWORD@HOST/NAME else.",
        f"url = {_quoted(settings.database.url)}",
        "",
        "[devices]",
        f"shared_provisioning = {str(settings.devices.shared_provisioning).lower()}",
        f"allow_ecu_replacement = {str(settings.devices.allow_ecu_replacement).lower()}",
        "",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    import json

    # A string of JSON is one of TOML, but for what no address holds.
    return json.dumps(text)
