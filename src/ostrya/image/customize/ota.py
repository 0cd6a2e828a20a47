# SPDX-License-Identifier: Apache-2.0
"""Whose fleet a device is: settings for the client of remote updates, and what lets it in.

::

    /usr/lib/sota/conf.d/20-image.toml   settings, in the release
    /etc/sota/conf.d/20-device.toml      those that a single device was told
    /var/sota                            credentials, on the disk only

A release is handed to whoever pulls it, so nothing is in it that only devices may know. Aktualizr
reads the same folders.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from ostrya.image.customize.places import Owner
from ostrya.image.deployments import StateFile
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.image.customize.places import DeviceTree
    from ostrya.image.recipe.values import Ota, Recipe

_CONFIG, _DEVICE_CONFIG = "/usr/lib/sota/conf.d", "/etc/sota/conf.d/20-device.toml"
_IMAGE_CONFIG = f"{_CONFIG}/20-image.toml"
_STATE, _CREDENTIALS, _IMPORT = "sota", "credentials.zip", "import"
_CA, _CERTIFICATE, _KEY = "ca.pem", "client.pem", "pkey.pem"
_GATEWAY_URL, _DEVICE_P12 = "autoprov.url", "autoprov_credentials.p12"
_MAX_BYTES = 4 << 20
_BROKEN = (
    zipfile.BadZipFile, RuntimeError, EOFError, ValueError, struct.error, OSError, zlib.error,
)  # fmt: skip
_SECRET, _CLOSED = Owner(0, 0, 0o600), Owner(0, 0, 0o700)


def set_up_ota(places: DeviceTree, recipe: Recipe, tell: Callable[[str], None]) -> None:
    """Put the settings of the client into a release.

    Raises:
        SourceError: A file of settings is too large for one.
        OSError: One cannot be read.
    """
    ota = recipe.ota
    if not ota.is_wanted:
        return
    hardware_id = ota.hardware_id or os.path.basename(recipe.board).removesuffix(".toml")
    places.write(_IMAGE_CONFIG, _settings(ota, hardware_id))
    for path in ota.config_files:
        places.write(f"{_CONFIG}/{os.path.basename(path)}", _read(path))
    tell(f"is a device of a fleet: {ota.server or 'its credentials name the server'}")


def state_files(ota: Ota) -> tuple[StateFile, ...]:
    """Return what lets a device in, to be put onto its disk.

    Raises:
        SourceError: It is no ``credentials.zip``, or has nothing for devices.
        OSError: A file cannot be read.
    """
    return tuple(_state_files(ota))


def _state_files(ota: Ota) -> Iterator[StateFile]:
    if ota.credentials:
        yield StateFile(f"{_STATE}/{_CREDENTIALS}", device_credentials(ota.credentials))
    for name, text, path in (
        (_CA, ota.ca, ota.ca_file),
        (_CERTIFICATE, ota.certificate, ota.certificate_file),
        (_KEY, ota.key, ota.key_file),
    ):
        if text or path:
            data = _read(path) if path else f"{text.strip()}\n".encode()
            if b"-----BEGIN " not in data:
                raise SourceError(f"{path}: this is no PEM")
            yield StateFile(f"{_STATE}/{_IMPORT}/{name}", data)


def tell_device(tree: DeviceTree, ota: Ota, tell: Callable[[str], None]) -> None:
    """Make a running device one of a fleet's, by what it was told itself.

    Raises:
        OSError: Something cannot be written.
    """
    if not ota.is_wanted:
        return
    found = state_files(ota)
    for folder in dict.fromkeys(os.path.dirname(file.path) for file in found):
        tree.make_dir(f"/var/{folder}", _CLOSED)
    for file in found:
        tree.write(f"/var/{file.path}", file.data, _SECRET)
    tree.write(_DEVICE_CONFIG, _settings(ota, ota.hardware_id))
    tell("is a device of a fleet")


def device_credentials(path: str) -> bytes:
    """Return a ``credentials.zip`` with that of it which devices need: the same for the same.

    Raises:
        SourceError: It is none, or none for devices.
        OSError: It cannot be read.
    """
    data = _read(path)
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in sorted({_GATEWAY_URL, _DEVICE_P12} & set(archive.namelist())):
                with archive.open(name) as stream:
                    # What it says of its sizes need not be true.
                    members[name] = stream.read(_MAX_BYTES)
    except _BROKEN as exc:
        raise SourceError(f"{path} is no credentials.zip: {exc}") from None
    if _DEVICE_P12 not in members:
        raise SourceError(
            f"{path} has no {_DEVICE_P12}: it is for tools, and lets no device in",
            hint="ostrya fleet credentials --devices-only writes one for devices",
        )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o600 << 16
            archive.writestr(info, content)
    return made.getvalue()


def _settings(ota: Ota, hardware_id: str) -> str:
    sections: dict[str, dict[str, str | int]] = {"tls": {}, "provision": {}, "uptane": {}}
    if ota.server:
        sections["tls"]["server"] = ota.server
    if ota.credentials:
        sections["provision"]["provision_path"] = f"/var/{_STATE}/{_CREDENTIALS}"
    if hardware_id:
        sections["provision"]["primary_ecu_hardware_id"] = hardware_id
    if ota.polling_sec is not None:
        sections["uptane"]["polling_sec"] = ota.polling_sec
    imported = {
        key: name
        for key, name, is_there in (
            ("tls_cacert_path", _CA, ota.ca or ota.ca_file),
            ("tls_clientcert_path", _CERTIFICATE, ota.certificate or ota.certificate_file),
            ("tls_pkey_path", _KEY, ota.key or ota.key_file),
        )
        if is_there
    }
    if imported:
        sections["import"] = {"base_path": f"/var/{_STATE}/{_IMPORT}", **imported}
    lines = ["# What the recipe of the image says in [ota]; files of later names come after it."]
    for name, section in sections.items():
        if section:
            lines += ["", f"[{name}]"]
            # JSON's texts and numbers are TOML's too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in section.items()]
    return "\n".join(lines) + "\n"


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise SourceError(f"{path} is too large for what it should be")
    return data
