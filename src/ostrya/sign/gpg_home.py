# SPDX-License-Identifier: Apache-2.0
"""Running ``gpg``: on keyrings of our own in a temporary home, or with the user's keys."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya._linux.process import run_to_end
from ostrya.errors import CommandFailed, SignatureError
from ostrya.named_tuple import NamedTuple
from ostrya.sign.errors import InvalidKey
from ostrya.sign.openpgp import is_keybox, public_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya._linux.process import Completed

log = logging.getLogger(__name__)

# Nobody is asked, nothing is looked up elsewhere, and no agent is started. Whoever put a key into
# the keyring has decided that it is trusted.
_ALONE = (
    "--no-options", "--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve",
    "--no-auto-check-trustdb", "--trust-model=always", "--no-permission-warning",
)  # fmt: skip
_COMMON = ("gpg", "--batch", "--no-tty", "--no-greeting", "--status-fd=1", "--charset=utf-8")
_TIMEOUT_S = 300


class Keyrings(NamedTuple):
    """Where trusted OpenPGP keys come from.

    Attributes:
        keyrings: Contents of keyrings, binary or armored, each with a name for sentences.
        key_files: Contents of files of which some may hold keys, with the same.
    """

    keyrings: tuple[tuple[str, bytes], ...] = ()
    key_files: tuple[tuple[str, bytes], ...] = ()

    def joined(self, other: Keyrings) -> Keyrings:
        """Return these and others together."""
        return Keyrings(self.keyrings + other.keyrings, self.key_files + other.key_files)


class GpgHome:
    """A directory for ``gpg`` with exactly the keys that we gave it."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def run(self, *arguments: str, data: bytes | memoryview = b"") -> Completed:
        """Run ``gpg`` here, with some bytes on its standard input."""
        return _run([*_COMMON, *_ALONE, f"--homedir={self.path}", *arguments], data)

    def write(self, name: str, data: bytes) -> str:
        """Write a file here, and return its path."""
        path = f"{self.path}/{name}"
        with open(path, "wb") as stream:
            stream.write(data)
        return path

    def read(self, name: str) -> bytes:
        """Return the content of a file here."""
        with open(f"{self.path}/{name}", "rb") as stream:
            return stream.read()


@contextmanager
def temporary_home(keyrings: Keyrings) -> Iterator[GpgHome]:
    """Make a home with some keyrings; it is gone afterwards.

    Raises:
        InvalidKey: A keyring cannot be parsed.
        SignatureError: There is no ``gpg``.
    """
    with tempfile.TemporaryDirectory(prefix="ostrya-gpg-", ignore_cleanup_errors=True) as path:
        home = GpgHome(path)
        unique: dict[bytes, bytes] = {}
        again: list[bytes] = []
        for data in _key_data(home, keyrings):
            for key in public_keys(data):
                if key.identity in unique:
                    again.append(key.packets)
                else:
                    unique[key.identity] = key.packets
        # The old name and form: a keyring in it is nothing but keys one after the other.
        home.write("pubring.gpg", b"".join(unique.values()))
        if again:
            # A revocation may be in any copy of a key, so gpg shall merge them.
            home.run("--import", data=b"".join(again))
        yield home


def run_as_user(homedir: str | None, *arguments: str, data: bytes = b"") -> Completed:
    """Run ``gpg`` with the user's own keys and settings, or with those in a directory.

    Raises:
        SignatureError: There is no ``gpg``.
    """
    where = () if homedir is None else (f"--homedir={os.path.abspath(homedir)}",)
    return _run([*_COMMON, *where, *arguments], data)


def last_words(result: Completed) -> str:
    """Return what a failed ``gpg`` said last."""
    lines = result.stderr.decode("utf-8", "replace").strip().split("\n")
    return lines[-1].removeprefix("gpg: ") or f"gpg ended with status {result.status}"


def _key_data(home: GpgHome, keyrings: Keyrings) -> Iterator[bytes]:
    for number, (name, data) in enumerate(keyrings.keyrings):
        try:
            plain = _from_keybox(home, number, data) if is_keybox(data) else data
            public_keys(plain)
        except InvalidKey as exc:
            exc.put_first(name)
            raise
        yield plain
    for name, data in keyrings.key_files:
        try:
            public_keys(data)
        except InvalidKey as exc:
            log.warning("no keys are taken from file=%s: %s", name, exc)
            continue
        yield data


def _from_keybox(home: GpgHome, number: int, data: bytes) -> bytes:
    path = home.write(f"given-{number}.kbx", data)
    result = home.run(
        "--status-fd=2", "--no-default-keyring", f"--keyring={path}", "--export"
    )  # fmt: skip
    if result.status != 0:
        raise InvalidKey(f"this is no OpenPGP keyring: {last_words(result)}")
    return result.stdout


def _run(argv: Sequence[str], data: bytes | memoryview) -> Completed:
    try:
        return run_to_end(argv, input_data=data, timeout_s=_TIMEOUT_S)
    except CommandFailed as exc:
        raise SignatureError(f"GPG: {exc}", hint="install GnuPG (Debian: gpg)") from exc
