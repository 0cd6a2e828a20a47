# SPDX-License-Identifier: Apache-2.0
"""The JSON that names the other ECUs of a vehicle, as aktualizr has it.

::

    {"IP": {"secondaries_wait_port": 9040, "secondaries_wait_timeout": 20,
            "secondaries": [{"addr": "10.0.0.2:9030", "verification_type": "Full",
                             "tls_ca": …, "tls_cert": …, "tls_key": …}]},
     "virtual": [{"ecu_hardware_id": "sensor", "full_client_dir": "/var/sota/sensor",
                  "partial_verifying": false, "ecu_serial": …, "ecu_private_key": "sec.private",
                  "ecu_public_key": "sec.public", "firmware_path": …, "target_name_path": …,
                  "metadata_path": …, "key_type": "ED25519"}]}

``tls_…`` are ours. Other kinds of ECUs are passed over, with a warning.

Source: aktualizr's JsonConfigParser and VirtualSecondaryConfig.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.link import Address, LinkTls
from ostrya.uptane.errors import ConfigError, UptaneRefusal
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.secret_keys import KINDS

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json, Object

MAX_BYTES = 1024 * 1024
_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")
_KIND = "ed25519"


class VirtualEcu(NamedTuple):
    """An ECU in the Primary's process.

    Attributes:
        serial: What it is called; empty for the id of its key.
        hardware_id: What kind it is.
        folder: Where all of it is.
        private_key: The file of its key; made if it is not there.
        key_kind: Which kind of key that is.
        firmware_path: Its image.
        name_path: The name of that.
        metadata_path: The folder of its database.
        verification: What it verifies.
    """

    serial: str
    hardware_id: str
    folder: str
    private_key: str
    key_kind: str
    firmware_path: str
    name_path: str
    metadata_path: str
    verification: Verification


class IpEcu(NamedTuple):
    """An ECU at the other end of a wire.

    Attributes:
        address: Where.
        verification: What it verifies.
    """

    address: Address
    verification: Verification


class EcusConfig(NamedTuple):
    """The other ECUs.

    Attributes:
        virtual: Those in this process.
        ip: Those at the other end of a wire.
        wait_s: How long those are waited for, at the start.
        wait_port: Where they are waited for; 0 for nowhere: they are asked again and again.
        warnings: What was passed over.
    """

    virtual: tuple[VirtualEcu, ...] = ()
    ip: tuple[IpEcu, ...] = ()
    wait_s: int = 0
    wait_port: int = 0
    warnings: tuple[str, ...] = ()


def read_ecus(path: str) -> EcusConfig:
    """Read the file.

    Raises:
        ConfigError: It is not there, or has something that cannot be used.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be read: {exc.strerror}",
            hint="secondary_config_file of [uptane] names it",
        ) from exc
    return parse_ecus(data, path)


def parse_ecus(data: bytes, where: str) -> EcusConfig:
    """Understand what is in it.

    Raises:
        ConfigError: Something cannot be used.
    """
    try:
        found = parse_json(data, MAX_BYTES, where)
    except UptaneRefusal as exc:
        raise ConfigError(exc.message) from exc
    top = _object(found, where)
    known = {"IP", "virtual"}
    warnings = tuple(
        f"{where}: ECUs of the kind {kind!r} are not known" for kind in top if kind not in known
    )
    ip = _object(top.get("IP", {}), f"IP of {where}")
    listed = ip.get("secondaries", [])
    virtual = top.get("virtual", [])
    if not isinstance(listed, list) or not isinstance(virtual, list):
        raise ConfigError(f"{where}: ECUs are in lists")
    wait_s = ip.get("secondaries_wait_timeout", 0)
    if not isinstance(wait_s, int) or isinstance(wait_s, bool) or not 0 <= wait_s <= 86400:
        raise ConfigError(f"{where}: secondaries_wait_timeout is a number of seconds")
    wait_port = ip.get("secondaries_wait_port", 0)
    if not isinstance(wait_port, int) or isinstance(wait_port, bool) or not 0 <= wait_port < 65536:
        raise ConfigError(f"{where}: secondaries_wait_port is a port of TCP")
    made = EcusConfig(
        tuple(_virtual(one, f"virtual ECU {at} of {where}") for at, one in enumerate(virtual)),
        tuple(_ip(one, f"ECU {at} of {where}") for at, one in enumerate(listed)),
        wait_s,
        wait_port,
        warnings,
    )
    _check_different(made, where)
    return made


def _check_different(made: EcusConfig, where: str) -> None:
    folders = [one.metadata_path for one in made.virtual]
    places = [str(one.address) for one in made.ip]
    for kind, names in (("metadata_path", folders), ("addr", places)):
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ConfigError(f"{where}: two ECUs have the {kind} {twice[0]}")


def _virtual(value: Json, where: str) -> VirtualEcu:
    found = _object(value, where)
    folder = _text(found, "full_client_dir", where)
    kind = _text(found, "key_type", where, "RSA2048").lower()
    if kind not in KINDS:
        raise ConfigError(f"{where}: key_type is one of {', '.join(KINDS)}")
    partial = found.get("partial_verifying", False)
    if not isinstance(partial, bool):
        raise ConfigError(f"{where}: partial_verifying is true or false")
    names = {
        "ecu_private_key": "sec.private",
        "firmware_path": "firmware.bin",
        "target_name_path": "firmware.name",
        "metadata_path": "metadata",
    }
    paths = {
        key: _below(folder, _text(found, key, where, default)) for key, default in names.items()
    }
    return VirtualEcu(
        _text(found, "ecu_serial", where, ""),
        _text(found, "ecu_hardware_id", where),
        folder,
        paths["ecu_private_key"],
        kind,
        paths["firmware_path"],
        paths["target_name_path"],
        paths["metadata_path"],
        Verification.PARTIAL if partial else Verification.FULL,
    )


def _ip(value: Json, where: str) -> IpEcu:
    found = _object(value, where)
    address = parse_address(_text(found, "addr", where), where)
    words = _text(found, "verification_type", where, Verification.FULL.value)
    kinds = [one for one in Verification if one.value.lower() == words.lower()]
    if not kinds:
        raise ConfigError(f"{where}: verification_type is Full or Tuf")
    tls = [_text(found, key, where, "") for key in ("tls_ca", "tls_cert", "tls_key")]
    if any(tls):
        if not all(tls):
            raise ConfigError(f"{where}: tls_ca, tls_cert and tls_key belong together")
        address = address._replace(tls=LinkTls(*tls))
    return IpEcu(address, kinds[0])


def parse_address(text: str, where: str) -> Address:
    """Return an address, ``HOST:PORT`` or ``[NUMBER]:PORT``.

    Raises:
        ConfigError: It is none.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found[3]) < 65536:
        raise ConfigError(f"{where}: {text!r} is no address", hint="write HOST:PORT")
    return Address(found[1] or found[2], int(found[3]))


def _below(folder: str, path: str) -> str:
    return path if path.startswith("/") else f"{folder.rstrip('/')}/{path}"


def _object(value: Json, where: str) -> Object:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is no object")
    return value


def _text(found: Object, key: str, where: str, default: str | None = None) -> str:
    value = found.get(key, default)
    if not isinstance(value, str) or (default is None and not value):
        raise ConfigError(f"{where} has no {key}")
    return value
