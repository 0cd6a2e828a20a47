# SPDX-License-Identifier: Apache-2.0
"""OpenPGP keys made for a test, some of them in the past."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAST = "20200101T000000"


class GpgUser:
    """A home of ``gpg`` with secret keys that need no password."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def gpg(self, *argv: str, data: bytes = b"") -> bytes:
        options = ("--batch", "--no-tty", "--quiet", "--pinentry-mode=loopback", "--passphrase=")
        done = subprocess.run(
            ["gpg", f"--homedir={self.home}", *options, *argv],
            input=data, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def make_key(self, user: str, expires: str = "never", at: str | None = None) -> str:
        """Make a key and return its fingerprint."""
        past = () if at is None else (f"--faked-system-time={at}",)
        self.gpg(*past, "--quick-generate-key", user, "ed25519", "sign", expires)
        listed = self.gpg("--with-colons", "--list-keys", f"={user}").decode().split("\n")
        return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))

    def export(self, *keys: str, armored: bool = False) -> bytes:
        return self.gpg(*(("--armor",) if armored else ()), "--export", *keys)

    def sign(self, key: str, data: bytes, *options: str) -> bytes:
        return self.gpg(*options, f"--local-user={key}", "--detach-sign", "--output=-", data=data)

    def revoke(self, key: str) -> None:
        path = self.home / "openpgp-revocs.d" / f"{key}.rev"
        text = path.read_bytes().replace(b":-----BEGIN", b"-----BEGIN")
        self.gpg("--import", data=text)


@contextmanager
def gpg_user() -> Iterator[GpgUser]:
    """Give an empty home; its path is short, for that of a socket in it is limited."""
    if shutil.which("gpg") is None or shutil.which("gpg-agent") is None:
        pytest.skip("needs gpg and gpg-agent")
    home = Path(tempfile.mkdtemp(prefix="g-", dir="/tmp"))
    try:
        yield GpgUser(home)
    finally:
        subprocess.run(
            ["gpgconf", f"--homedir={home}", "--kill", "gpg-agent"], check=False,
            capture_output=True,
        )  # fmt: skip
        shutil.rmtree(home, ignore_errors=True)
