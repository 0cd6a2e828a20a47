# SPDX-License-Identifier: Apache-2.0
"""Secret and public keys in folders: ``NAME.sec``, for its owner only, and ``NAME.pub``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import exists, open_dir
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.keys import ED25519, RSA, RSA_SCHEME, Key, identity, read_key
from ostrya.uptane.metadata.secret_keys import KINDS, make_secret_key, read_secret_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.uptane.metadata.secret_keys import SecretKey

SECRET, PUBLIC = ".sec", ".pub"
_MAX_KEY_BYTES = 64 * 1024
_MAX_KEYS = 1000


class Keyring:
    """The secret keys that are here.

    Attributes:
        folders: Where they are looked for.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = tuple(folders)
        self._found: dict[bytes, SecretKey] | None = None

    def find(self, key: Key) -> SecretKey | None:
        """Return the secret half of a key; None if it is not here.

        Raises:
            MetadataInvalid: A file that should hold a key holds none.
        """
        if self._found is None:
            self._found = self._read()
        who = identity(key)
        return self._found.get(who) if who is not None else None

    def look_again(self) -> None:
        """Notice keys that came since the first look."""
        self._found = None

    def _read(self) -> dict[bytes, SecretKey]:
        found: dict[bytes, SecretKey] = {}
        for folder in self.folders:
            names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
            for name in [one for one in names if one.endswith(SECRET)][:_MAX_KEYS]:
                path = os.path.join(folder, name)
                value = parse_json(read_bounded(path), _MAX_KEY_BYTES, path)
                secret = read_secret_key(value, path)
                who = identity(secret.key)
                if who is not None:
                    found[who] = secret
        return found


def make_key(kind: str) -> SecretKey:
    """Make a new key.

    Raises:
        AuthoringError: Keys of that kind are not made here.
    """
    if kind not in KINDS:
        raise AuthoringError(f"{kind!r} is no kind of key", hint=f"there are {', '.join(KINDS)}")
    return make_secret_key(kind)


def write_key(folder: str, name: str, secret: SecretKey) -> None:
    """Write both halves of a key; one that is there already stays as it is.

    Raises:
        AuthoringError: A key of that name is there.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    dir_fd = open_dir(folder, follow=True)
    try:
        for suffix in (SECRET, PUBLIC):
            if exists(f"{name}{suffix}", dir_fd=dir_fd):
                raise AuthoringError(
                    f"{folder}/{name}{suffix} exists already",
                    hint="keys are never replaced: take another name, or move it away first",
                )
        public = ascii_bytes(spelled(secret.key, Dialect.UPTANE).to_json())
        _write(f"{name}{SECRET}", ascii_bytes(secret.to_json()), 0o600, dir_fd)
        _write(f"{name}{PUBLIC}", public, 0o644, dir_fd)
        os.fsync(dir_fd)
    finally:
        os.close(dir_fd)


def read_public_key(path: str) -> Key:
    """Read the public half of a key.

    Raises:
        MetadataInvalid: There is none in the file.
        AuthoringError: It is of a kind that cannot be used.
    """
    key = read_key(parse_json(read_bounded(path), _MAX_KEY_BYTES, path), path)
    if identity(key) is None:
        raise AuthoringError(f"{path} holds a key that cannot be used")
    return key


def spelled(key: Key, dialect: Dialect) -> Key:
    """Return a key as metadata of a dialect spells it."""
    if dialect is Dialect.UPTANE:
        return Key(key.keytype.upper(), "", key.public)
    return Key(key.kind, {RSA: RSA_SCHEME}.get(key.kind, ED25519), key.public)


def read_bounded(path: str, max_bytes: int = _MAX_KEY_BYTES) -> bytes:
    """Read a file that has to be small.

    Raises:
        AuthoringError: It is not.
    """
    with open(path, "rb") as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise AuthoringError(f"{path} has more than {max_bytes} bytes")
    return data


def _write(name: str, data: bytes, mode: int, dir_fd: int) -> None:
    with TmpFile(dir_fd, mode) as tmp:
        write_all(tmp.fd, data)
        os.fsync(tmp.fd)
        tmp.link(name, dir_fd=dir_fd)
