# SPDX-License-Identifier: Apache-2.0
"""What an ECU needs to get a commit by itself, as an archive of its own.

::

    ca.pem        the only authority to trust
    client.pem    the certificate of the Primary, who lends it
    pkey.pem      its key
    server.url    where commits are

A zip is sent. aktualizr reads that too; what it sends is a tar archive (pax) in gzip's format.

Source: aktualizr's SecondaryProvider and Utils::writeArchive.
"""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.server import Treehub

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMBERS = {"ca.pem": "ca_path", "client.pem": "cert_path", "pkey.pem": "key_path"}
_URL = "server.url"
_MAX_MEMBER_BYTES = 64 * 1024
_MAX_MEMBERS = 16
_GZIP = b"\x1f\x8b"
# Each member has a header of tar and one of pax, and is filled up to blocks.
_MAX_TAR_BYTES = _MAX_MEMBERS * (_MAX_MEMBER_BYTES + 8 * 1024)


def pack_credentials(treehub: Treehub) -> bytes:
    """Return the zip.

    Raises:
        OSError: A file of ours cannot be read; a key on a token is none.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, field in _MEMBERS.items():
            path = getattr(treehub, field)
            data = b""
            if path:
                with open(path, "rb") as source:
                    data = source.read(_MAX_MEMBER_BYTES)
            file.writestr(name, data)
        file.writestr(_URL, treehub.url)
    return target.getvalue()


def unpack_credentials(data: bytes, folder: str) -> Treehub:
    """Write what is in a zip or a tar archive to a folder that nobody else reads, for a pull.

    Raises:
        MessageInvalid: It is none, or something is missing.
        OSError: It cannot be written.
    """
    members = read_credentials(data)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    folder_fd = open_dir(folder, follow=True)
    try:
        for name in _MEMBERS:
            replace_file(name, members.get(name, b""), dir_fd=folder_fd, mode=0o600, durable=False)
    finally:
        os.close(folder_fd)
    paths = {
        field: os.path.join(folder, name) if members.get(name) else ""
        for name, field in _MEMBERS.items()
    }
    url = members[_URL].decode("utf-8", "replace").strip()
    return Treehub(url, paths["ca_path"], paths["cert_path"], paths["key_path"])


def read_credentials(data: bytes) -> Mapping[str, bytes]:
    """Return the members of a zip or a tar archive, by their names.

    Raises:
        MessageInvalid: It is none, too large, or something is missing.
    """
    try:
        found = _read_tar(data) if data.startswith(_GZIP) else _read_zip(data)
    except KeyError as exc:
        raise MessageInvalid(f"the credentials lack something: {exc.args[0]}") from None
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        ValueError,
        RuntimeError,
        EOFError,
    ):
        raise MessageInvalid("the credentials are no archive that can be read") from None
    for name, member in found.items():
        if len(member) > _MAX_MEMBER_BYTES:
            raise MessageInvalid(f"{name} of the credentials is too large")
    return found


def _read_zip(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        if len(file.infolist()) > _MAX_MEMBERS:
            raise MessageInvalid("the credentials have more members than they can have")
        for name in (*_MEMBERS, _URL):
            # Nobody packs them otherwise, and what cannot be unpacked is told in other words.
            if file.getinfo(name).compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise ValueError("another compression")
            with file.open(name) as member:
                found[name] = member.read(_MAX_MEMBER_BYTES + 1)
    return found


def _read_tar(data: bytes) -> dict[str, bytes]:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    plain = unpacker.decompress(data, _MAX_TAR_BYTES)
    if not unpacker.eof:
        # Either cut off, or more than it can be.
        raise MessageInvalid("the credentials are no archive that can be read, or too large")
    found = _tar_members(plain)
    return {name: found[name] for name in (*_MEMBERS, _URL)}


def _tar_members(plain: bytes) -> dict[str, bytes]:
    # Header by header: tarfile looks into those of pax, which can keep it busy for hours.
    found: dict[str, bytes] = {}
    at = 0
    while len(header := plain[at : at + tarfile.BLOCKSIZE]) and any(header):
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        at += tarfile.BLOCKSIZE
        if not 0 <= info.size <= len(plain) - at:
            raise ValueError("it is cut off")
        if info.type in {tarfile.REGTYPE, tarfile.AREGTYPE}:
            found[info.name] = plain[at : at + info.size]
        at += -(-info.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return found
