# SPDX-License-Identifier: Apache-2.0
"""What an ECU needs to get a commit by itself, as a zip of its own.

::

    ca.pem        the only authority to trust
    client.pem    the certificate of the Primary, who lends it
    pkey.pem      its key
    server.url    where commits are

Source: aktualizr's SecondaryProvider, for the names.
"""

from __future__ import annotations

import io
import os
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
    """Write what is in a zip to a folder that nobody else reads, for a pull.

    Raises:
        MessageInvalid: It is none, or something is missing.
        OSError: It cannot be written.
    """
    members = _read(data)
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


def _read(data: bytes) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            if len(file.infolist()) > _MAX_MEMBERS:
                raise MessageInvalid("the credentials have more members than they can have")
            for name in (*_MEMBERS, _URL):
                with file.open(name) as member:
                    found[name] = member.read(_MAX_MEMBER_BYTES + 1)
                if len(found[name]) > _MAX_MEMBER_BYTES:
                    raise MessageInvalid(f"{name} of the credentials is too large")
    except KeyError as exc:
        raise MessageInvalid(f"the credentials lack something: {exc.args[0]}") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        RuntimeError,
        EOFError,
    ):
        raise MessageInvalid("the credentials are no zip that can be read") from None
    return found
