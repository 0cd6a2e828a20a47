# SPDX-License-Identifier: Apache-2.0
"""``credentials.zip``: what a device or a tool needs to know of a server, in one file.

::

    autoprov.url              the gateway that devices speak to
    autoprov_credentials.p12  who a device is until it has a certificate of its own
    treehub.json              the treehub, and who may push to it
    tufrepo.url               the server of the Image repository
    root.json                 its root
    targets.pub, targets.sec  a key of Targets
    client_auth.p12           who a tool is for the server
    api_gateway.url           the server of the Director

Source: aktualizr's and ota-tuf's tools, which write and read it; members that are not known stay.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.uptane.errors import AuthoringError

if TYPE_CHECKING:
    from collections.abc import Mapping

GATEWAY_URL, REPOSITORY_URL, API_URL = "autoprov.url", "tufrepo.url", "api_gateway.url"
DEVICE_P12, CLIENT_P12 = "autoprov_credentials.p12", "client_auth.p12"
TREEHUB, ROOT, TARGETS_PUBLIC, TARGETS_SECRET = (
    "treehub.json", "root.json", "targets.pub", "targets.sec",
)  # fmt: skip
MAX_BYTES = 4 * 1024 * 1024
_MAX_MEMBERS = 64
# Others take as much memory as they like.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNUSUAL = "a member is compressed in a way that is not used for them"
# All in memory: an error of input is one of what the archive says of itself.
_BROKEN = (
    zipfile.BadZipFile, RuntimeError, EOFError, ValueError, IndexError, struct.error, OSError,
    zlib.error,
)  # fmt: skip


def read_members(path: str) -> dict[str, bytes]:
    """Read the members of a ``credentials.zip``.

    Raises:
        AuthoringError: It is none, or larger than any.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    return decode_members(data, path)


def decode_members(data: bytes, what: str) -> dict[str, bytes]:
    """Return the members of a ``credentials.zip``.

    Raises:
        AuthoringError: It is none, or larger than any.
    """
    if len(data) > MAX_BYTES:
        raise AuthoringError(f"{what} is larger than credentials are")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [one for one in archive.infolist() if not one.is_dir()]
            if len(infos) > _MAX_MEMBERS or sum(one.file_size for one in infos) > MAX_BYTES:
                raise AuthoringError(f"{what} is larger than credentials are")
            members: dict[str, bytes] = {}
            for info in infos:
                if info.compress_type not in _METHODS:
                    raise AuthoringError(f"{what} is no credentials.zip: {_UNUSUAL}")
                with archive.open(info) as stream:
                    # What the directory of the archive says of sizes need not be true.
                    members[info.filename] = stream.read(info.file_size)
    except _BROKEN as exc:
        raise AuthoringError(f"{what} is no credentials.zip: {exc}") from None
    if len(members) != len(infos):
        raise AuthoringError(f"{what} has a member twice")
    return members


def write_members(path: str, members: Mapping[str, bytes]) -> None:
    """Write a ``credentials.zip``, for its owner only; the same for the same members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, members[name])
    folder, _, name = path.rpartition("/")
    dir_fd = open_dir(folder or ("/" if path.startswith("/") else "."), follow=True)
    try:
        replace_file(name, stream.getvalue(), dir_fd=dir_fd, mode=0o600)
    finally:
        os.close(dir_fd)
