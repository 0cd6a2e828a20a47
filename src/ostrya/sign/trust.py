# SPDX-License-Identifier: Apache-2.0
"""Which keys are trusted and which are revoked: files and drop-in directories.

::

    BASE/trusted.ENGINE     BASE/trusted.ENGINE.d/*
    BASE/revoked.ENGINE     BASE/revoked.ENGINE.d/*

A file among the trusted ones that cannot be read trusts nobody, so it is passed over with a
warning. One among the revoked ones is an error: to pass over it would trust somebody.

Source: ostree-sign-ed25519.c, ostree-sign-spki.c (load_pk).
"""

from __future__ import annotations

import logging
import os
import stat
from errno import ENOENT, ENOTDIR
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import FileTooLargeError, list_names, open_dir, read_fd
from ostrya.errors import SignatureError
from ostrya.sign import ed25519, keys, spki
from ostrya.sign.errors import InvalidKey
from ostrya.sign.matching import TrustedKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = logging.getLogger(__name__)

SYSTEM_DIRS = ("/etc/ostree", "/usr/share/ostree")
MAX_FILE_BYTES = 4 << 20

_ABSENT = (ENOENT, ENOTDIR)


def load_trusted_keys(engine: str, base_dirs: Sequence[str] = SYSTEM_DIRS) -> TrustedKeys:
    """Return the keys in the files and drop-in directories below some directories.

    Raises:
        InvalidKey: There is no trusted key, or dummy is asked for, which has no files.
        SignatureError: A list of revoked keys cannot be read.
    """
    if engine == "dummy":
        raise InvalidKey("not implemented")
    trusted: list[bytes] = []
    for path in _files(engine, "trusted", base_dirs):
        try:
            trusted += _read_valid(engine, path)
        except (OSError, SignatureError) as exc:
            log.warning("no keys are taken from file=%s: %s", path, exc)
    if not trusted:
        raise InvalidKey(f"signature: {engine}: no keys loaded")
    return TrustedKeys(_newest_first(trusted), load_revoked_keys(engine, base_dirs))


def load_revoked_keys(engine: str, base_dirs: Sequence[str] = SYSTEM_DIRS) -> frozenset[bytes]:
    """Return the keys that are revoked by files below some directories.

    Raises:
        SignatureError: A list cannot be read.
    """
    revoked: set[bytes] = set()
    for path in _files(engine, "revoked", base_dirs):
        try:
            revoked.update(keys.parse_public_keys(engine, _read(path)))
        except OSError as exc:
            raise SignatureError(f"{engine}: revoked keys cannot be read: {exc}") from exc
        except SignatureError as exc:
            exc.put_first(path)
            raise
    return frozenset(revoked)


def load_keys_file(engine: str, path: str) -> tuple[bytes, ...]:
    """Return the public keys in one file.

    Raises:
        InvalidKey: It holds none.
        OSError: It cannot be read.
    """
    if engine == "dummy":
        raise InvalidKey("not implemented")
    found = _read_valid(engine, path)
    if not found:
        raise InvalidKey(f"signature: {engine}: no valid keys in file '{path}'")
    return _newest_first(found)


def load_secret_keys_file(engine: str, path: str) -> list[bytes]:
    """Return the secret keys in one file.

    Raises:
        InvalidKey: It holds none, or something else.
        OSError: It cannot be read.
    """
    try:
        found = keys.parse_secret_keys(engine, _read(path))
    except InvalidKey as exc:
        exc.put_first(f"Reading {path}")
        raise
    if not found:
        raise InvalidKey(f"Reading {path}: there is no {engine} key in it")
    return found


def load_any_keys_file(engine: str, path: str) -> list[bytes]:
    """Return the keys in one file, which may be public or secret ones.

    Raises:
        InvalidKey: It holds neither.
        OSError: It cannot be read.
    """
    data = _read(path)
    try:
        return keys.parse_public_keys(engine, data)
    except InvalidKey:
        return keys.parse_secret_keys(engine, data)


def public_form(engine: str, key: bytes) -> bytes:
    """Return the public key that a public or a secret one stands for.

    Raises:
        InvalidKey: It is neither.
    """
    if engine == "ed25519" and len(key) == ed25519.SECRET_KEY_BYTES:
        return ed25519.public_key_of(key)
    if engine == "spki":
        try:
            spki.check_public_key(key)
        except InvalidKey:
            return spki.public_key_of(key)
    return key


def load_remote_keys(
    engine: str,
    *,
    inline: str | None,
    path: str | None,
    required: bool,
    base_dirs: Sequence[str] = SYSTEM_DIRS,
) -> TrustedKeys | None:
    """Return the keys of a remote's settings, less those that the system revokes.

    Args:
        engine: Its name.
        inline: ``verification-ENGINE-key``.
        path: ``verification-ENGINE-file``.
        required: Whether it is an error that there are neither.
        base_dirs: Where revoked keys, and trusted ones for want of others, are looked for.

    Returns:
        None where neither the remote nor the system has a key.

    Raises:
        InvalidKey: A setting gives no key.
    """
    if inline is None and path is None:
        if required:
            raise InvalidKey(f"No keys found for required signapi type {engine}")
        return _system_keys(engine, base_dirs)
    found: list[bytes] = []
    if path is not None:
        try:
            found += load_keys_file(engine, path)
        except (OSError, SignatureError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            raise InvalidKey(f"Failed loading '{engine}' keys from '{path}': {reason}") from exc
    if inline is not None:
        key = keys.parse_key_argument(engine, inline)
        try:
            check_public_key(engine, key)
        except InvalidKey as exc:
            where = "inline `verification-key`"
            raise InvalidKey(f"Failed loading '{engine}' keys from {where}: {exc}") from exc
        found.insert(0, key)
    revoked = frozenset() if engine == "dummy" else load_revoked_keys(engine, base_dirs)
    return TrustedKeys(tuple(dict.fromkeys(found)), revoked)


def check_public_key(engine: str, key: bytes) -> None:
    """Refuse what is no public key of an engine.

    Raises:
        InvalidKey: It is none.
    """
    if engine == "ed25519":
        ed25519.check_public_key(key)
    elif engine == "spki":
        spki.check_public_key(key)


def _system_keys(engine: str, base_dirs: Sequence[str]) -> TrustedKeys | None:
    try:
        return load_trusted_keys(engine, base_dirs)
    except InvalidKey:
        return None


def _newest_first(found: Iterable[bytes]) -> tuple[bytes, ...]:
    # As libostree tries them, so that its sentences about failures come out the same.
    return tuple(reversed(dict.fromkeys(found)))


def _files(engine: str, kind: str, base_dirs: Sequence[str]) -> list[str]:
    """Return the files that are there; the order within a directory is by name."""
    found = []
    for base_dir in base_dirs:
        path = f"{base_dir}/{kind}.{engine}"
        if os.path.lexists(path):
            found.append(path)
        try:
            fd = open_dir(f"{path}.d", follow=True)
        except OSError as exc:
            if exc.errno in _ABSENT:
                continue
            raise SignatureError(f"{engine}: {kind} keys cannot be read: {exc}") from exc
        try:
            found += [f"{path}.d/{name}" for name in sorted(list_names(fd))]
        finally:
            os.close(fd)
    return found


def _read_valid(engine: str, path: str) -> list[bytes]:
    found = []
    problem: InvalidKey | None = None
    for key in keys.parse_public_keys(engine, _read(path)):
        try:
            check_public_key(engine, key)
        except InvalidKey as exc:
            log.warning("not a key in file=%s: %s", path, exc)
            problem = problem or exc
        else:
            found.append(key)
    if problem is not None and not found:
        problem.put_first(path)
        raise problem
    return found


def _read(path: str) -> bytes:
    # Links are followed: distributions put them there. Pipes must not block us.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InvalidKey(f"File object '{path}' is not a regular file")
        return read_fd(fd, max_bytes=MAX_FILE_BYTES)
    except FileTooLargeError:
        raise InvalidKey(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB") from None
    finally:
        os.close(fd)
