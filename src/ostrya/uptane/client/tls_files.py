# SPDX-License-Identifier: Apache-2.0
"""Who the device is for its server, in files as libcurl wants them, for nobody else to read.

What counts is in the database, where it is changed as a whole; the files are made of it, and made
again where they differ::

    /var/sota/tls/    0700
      ca.pem          the fleet's authority, the only one that is believed
      cert.pem        the device's certificate
      key.pem         its key
      pin             that of the token, where its objects are used
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.uptane.client.storage import Storage

CA, CERT, KEY = "tls-ca", "tls-cert", "tls-key"
"""Facts of the database: PEM."""
PIN = "pin"
_NAMES = {CA: "ca.pem", CERT: "cert.pem", KEY: "key.pem", PIN: "pin"}


class TlsFiles(NamedTuple):
    """Where certificates and keys are.

    Attributes:
        ca_path: The authority, PEM.
        cert_path: The device's certificate, PEM or ``pkcs11:``; empty for none.
        key_path: Its key, likewise.
    """

    ca_path: str
    cert_path: str = ""
    key_path: str = ""


def write_tls_files(facts: dict[str, bytes], folder: str) -> TlsFiles:
    """Make files of what is known.

    Args:
        facts: PEM by the names above; what is missing has no path.
        folder: Where to; made if it is not there.

    Raises:
        OSError: They cannot be written.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    dir_fd = open_dir(folder, follow=False)
    try:
        os.fchmod(dir_fd, 0o700)
        for fact, data in facts.items():
            if not _is_there(dir_fd, _NAMES[fact], data):
                replace_file(_NAMES[fact], data, dir_fd=dir_fd, mode=0o600)
    finally:
        os.close(dir_fd)
    paths = [f"{folder}/{_NAMES[fact]}" if fact in facts else "" for fact in (CA, CERT, KEY)]
    return TlsFiles(*paths)


def remove_tls_files(folder: str) -> None:
    """Take away the files of a device that is another one's now."""
    for name in _NAMES.values():
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(f"{folder}/{name}")


def tls_facts(storage: Storage) -> dict[str, bytes]:
    """Return what the database has of certificates and keys."""
    found = {fact: storage.fact(fact) for fact in (CA, CERT, KEY)}
    return {fact: data for fact, data in found.items() if data is not None}


def _is_there(dir_fd: int, name: str, data: bytes) -> bool:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    except OSError:
        return False
    with open(fd, "rb") as stream:
        is_private = not os.fstat(fd).st_mode & 0o077
        return is_private and stream.read(len(data) + 1) == data
