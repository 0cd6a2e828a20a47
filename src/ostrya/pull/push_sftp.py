# SPDX-License-Identifier: Apache-2.0
"""Pushing over ssh to a host that needs nothing but sftp.

Files are written under ``tmp`` and renamed when they are whole. A ref or the summary is compared
and replaced under the lock of ``pull.push_lock``.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ostrya.fetch.errors import SftpError
from ostrya.fetch.sftp import SftpClient
from ostrya.fetch.sftp_packets import Status
from ostrya.pull.errors import PushLockLost, PushRefused
from ostrya.pull.push_archive import ArchiveTarget
from ostrya.pull.push_lock import MAX_WORD_BYTES, push_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ostrya.pull.push_lock import LockFile
    from ostrya.repo.packing import Packed

_LAYOUT = ("tmp", "extensions", "state", "refs", "refs/heads", "refs/mirrors", "refs/remotes")
# As sftp has it: a connection for files forwards nothing. A link that is dead is noticed.
_SSH = (
    "ssh", "-oForwardX11=no", "-oForwardAgent=no", "-oPermitLocalCommand=no",
    "-oClearAllForwardings=yes", "-oServerAliveInterval=15", "-oServerAliveCountMax=4",
)  # fmt: skip


class SftpFiles:
    """Files below a folder of a host; see ``RemoteFiles``.

    Attributes:
        shown: The folder's address.
    """

    def __init__(self, client: SftpClient, folder: str, shown: str) -> None:
        self.shown = shown
        self._client = client
        self._folder = folder
        self._made: set[str] = set()
        self._unique = os.urandom(8).hex()

    def _at(self, path: str) -> str:
        return posixpath.join(self._folder, path)

    def read(self, path: str, max_bytes: int) -> tuple[bytes, str] | None:
        """Return a file, and the hash of its content, None if it is not there."""
        data = self._client.read(self._at(path), max_bytes)
        return None if data is None else (data, _tag(data))

    def exists(self, path: str) -> bool:
        """Say whether there is such a file."""
        return self._client.lstat(self._at(path)) is not None

    def list(self, folder: str) -> Iterator[str]:
        """Give the paths of all files below a folder."""
        for name, attrs in self._client.list_dir(self._at(folder) if folder else self._folder):
            path = f"{folder}/{name}" if folder else name
            if stat.S_ISDIR(attrs.mode):
                yield from self.list(path)
            else:
                yield path

    def put(
        self, path: str, packed: Packed, before_rename: Callable[[], None] = lambda: None
    ) -> None:
        """Write a file; it appears whole, in place of what was there."""
        self._make_parent(path)
        temporary = self._at(f"tmp/push-{os.urandom(8).hex()}")
        try:
            self._client.write_new(temporary, packed.chunks(), sync=True)
            before_rename()
            self._client.replace(temporary, self._at(path))
        except (SftpError, PushLockLost) as exc:
            self._drop(temporary, exc)
            raise

    def _drop(self, temporary: str, error: SftpError | PushLockLost) -> None:
        if isinstance(error, PushLockLost) or error.code is not None:
            self._client.remove(temporary)

    def _make_parent(self, path: str) -> None:
        parent = posixpath.dirname(path)
        if not parent or parent in self._made:
            return
        self._make_parent(parent)
        self._client.make_dir(self._at(parent))
        self._made.add(parent)

    def replace(self, path: str, data: bytes, tag: str | None) -> bool:
        """Write a small file if it still has a tag, or is still not there for None."""
        from ostrya.repo.packing import Packed

        with push_lock(self, self.shown, self._unique) as require_held:
            now = self.read(path, max(len(data), 1 << 27))
            if (None if now is None else now[1]) != tag:
                return False
            self.put(path, Packed(data), require_held)
        return True

    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""
        self._client.remove(self._at(path))

    def make_layout(self) -> None:
        """Make the folders that a repository has; ``objects``, which makes it one, last."""
        parts = self._folder.strip("/").split("/")
        start = "/" if self._folder.startswith("/") else ""
        for end in range(1, len(parts) + 1):
            folder = start + "/".join(parts[:end])
            if self._client.lstat(folder) is None:
                self._client.make_dir(folder)
        for name in (*_LAYOUT, "objects"):
            self._client.make_dir(self._at(name))
            self._made.add(name)

    def create_lock(self, name: str, word: str) -> LockFile | None:
        """Make the lock's file; None if there is one."""
        try:
            handle = self._client.open_new(self._at(name))
        except SftpError as exc:
            # Version 3 of the protocol has no number for what is there already.
            if exc.code != Status.FAILURE or not self.exists(name):
                raise
            return None
        file = _SftpLockFile(self._client, self._at(name), handle, word)
        file.refresh()
        return file

    def read_lock(self, name: str) -> str | None:
        """Return the word in a lock's file; None if it is gone."""
        data = self._client.read(self._at(name), MAX_WORD_BYTES)
        return None if data is None else data.decode("ascii", "replace")

    def lock_age_s(self, name: str) -> float | None:
        """Return how old a file is, by the host's clock."""
        found = self._client.lstat(self._at(name))
        if found is None:
            return None
        probe = self._at(f"tmp/push-{os.urandom(8).hex()}")
        self._client.write_new(probe, [b""], sync=False)
        now = self._client.lstat(probe)
        self._client.remove(probe)
        return 0.0 if now is None else float(now.mtime - found.mtime)

    def move_lock(self, name: str, new_name: str) -> bool:
        """Rename a file, to a name that nothing has."""
        return self._client.move(self._at(name), self._at(new_name))

    def delete_lock(self, name: str) -> None:
        """Delete a file, if it is there."""
        self.delete(name)

    def close(self) -> None:
        """End the connection."""
        self._client.close()


class _SftpLockFile:
    """A lock's file on a host; what is written is as old as the host's clock says."""

    def __init__(self, client: SftpClient, path: str, handle: bytes, word: str) -> None:
        self._client = client
        self._path = path
        self._handle = handle
        self._word = word.encode("ascii")

    def refresh(self) -> None:
        self._client.write_at_start(self._path, self._handle, self._word)

    def close(self) -> None:
        self._client.close_handle(self._handle)


def sftp_target(address: str, options: Sequence[str] = ()) -> ArchiveTarget:
    """Connect to ``ssh://[user@]host[:port]/path``; ``/~/path`` lies in the user's own folder.

    Args:
        address: Where to.
        options: Given to ``ssh`` with ``-o``.

    Raises:
        PushRefused: It is no such address.
        SftpError: There is no connection.
    """
    argv, folder, shown = parse_ssh_address(address, options)
    return ArchiveTarget(SftpFiles(SftpClient(argv, shown.partition("/")[0]), folder, address))


def parse_ssh_address(address: str, options: Sequence[str] = ()) -> tuple[list[str], str, str]:
    """Return the command that connects, the folder there, and host and folder for messages.

    Raises:
        PushRefused: It is no such address.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _no_address(address) from None
    host, user = parts.hostname, parts.username
    folder = unquote(parts.path)
    if folder.startswith("/~/"):
        folder = folder.removeprefix("/~/")
    folder = folder.rstrip("/")
    if not host or host.startswith("-") or not folder or parts.password is not None:
        raise _no_address(address)
    argv = [*_SSH, *(f"-o{option}" for option in options)]
    if port is not None:
        argv += ["-p", str(port)]
    if user is not None:
        argv += ["-l", unquote(user)]
    return [*argv, "-s", "--", host, "sftp"], folder, f"{host}/{folder.lstrip('/')}"


def _no_address(address: str) -> PushRefused:
    return PushRefused(
        f"cannot push to {address}",
        hint="expected ssh://[USER@]HOST[:PORT]/PATH; passwords are ssh's own business",
    )


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
