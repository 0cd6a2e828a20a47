# SPDX-License-Identifier: Apache-2.0
"""Files on a host that speaks sftp, over a pipe to the system's ``ssh``.

``ssh`` makes the connection, so that keys, agents, jump hosts and known hosts are those that the
user has set up. One connection carries the requests of many threads: each waits for its own answer
only.
"""

from __future__ import annotations

import os
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from ostrya._linux.atomic import write_all
from ostrya._linux.process import PipedProcess
from ostrya.errors import CommandFailed
from ostrya.fetch import sftp_packets as wire
from ostrya.fetch.errors import SftpError
from ostrya.fetch.sftp_packets import Attrs, Fields, Kind, OpenFlag, Packet, Status
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CHUNK_BYTES = 32 * 1024
_AHEAD = 32
_FILE_MODE = 0o644
_DIR_MODE = 0o755
_FLAGS_NEW = OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE


class SftpEntry(NamedTuple):
    """One name in a folder."""

    name: str
    attrs: Attrs


class _Answer:
    """Where a thread waits for the answer to one request."""

    __slots__ = ("event", "packet")

    def __init__(self) -> None:
        self.event = threading.Event()
        self.packet: Packet | None = None


class SftpClient:
    """A connection; used from many threads at once.

    Attributes:
        shown: Whom it leads to, for messages.
        can_sync: Whether files can be made to survive a power cut there.
    """

    def __init__(self, argv: Sequence[str], shown: str) -> None:
        """Connect.

        Args:
            argv: The command that speaks sftp on its standard input and output.
            shown: Whom it leads to, for messages.

        Raises:
            SftpError: There is no connection, or the server lacks what pushing needs.
        """
        self.shown = shown
        self._lock = threading.Lock()
        self._waiting: dict[int, _Answer] = {}
        self._next_id = 0
        self._is_lost = False
        try:
            self._process = PipedProcess(argv)
        except CommandFailed as exc:
            raise SftpError(
                f"cannot reach {shown}: {exc.message}", hint="install OpenSSH's client"
            ) from exc
        self._reader: threading.Thread | None = None
        try:
            extensions = self._greet()
            if wire.POSIX_RENAME not in extensions:
                raise SftpError(
                    f"{shown} cannot replace a file in one step: "
                    f"its sftp server lacks {wire.POSIX_RENAME.decode()}"
                )
        except BaseException:
            self._process.end()
            raise
        self.can_sync = wire.FSYNC in extensions
        self._reader = threading.Thread(target=self._receive_all, daemon=True)
        self._reader.start()

    def _greet(self) -> dict[bytes, bytes]:
        # INIT has the version where other packets have an id.
        try:
            write_all(self._process.to_fd, wire.packet(Kind.INIT, wire.VERSION))
            first = self._receive()
        except OSError as exc:
            raise self._gone() from exc
        if first is None or first.kind != Kind.VERSION or first.id < wire.VERSION:
            raise self._gone()
        extensions = {}
        fields = Fields(first.body)
        while not fields.is_empty:
            name = fields.string()
            extensions[name] = fields.string()
        return extensions

    def _gone(self) -> SftpError:
        lines = self._process.complaint().strip().splitlines()
        reason = lines[-1].strip() if lines else "the connection ended"
        return SftpError(
            f"cannot speak sftp with {self.shown}: {reason}",
            hint=f"try by hand: sftp {self.shown}; what was sent so far is kept, so push again",
        )

    def _receive(self) -> Packet | None:
        head = self._read_exactly(4)
        if head is None:
            return None
        (length,) = struct.unpack(">I", head)
        if length > wire.MAX_PACKET_BYTES:
            raise SftpError(f"{self.shown} sends what is no sftp")
        payload = self._read_exactly(length)
        return None if payload is None else Packet.decode(payload)

    def _read_exactly(self, count: int) -> bytes | None:
        parts = []
        while count:
            piece = os.read(self._process.from_fd, min(count, 1 << 16))
            if not piece:
                return None
            parts.append(piece)
            count -= len(piece)
        return b"".join(parts)

    def _receive_all(self) -> None:
        """Hand out answers until the connection ends; then nobody waits any longer."""
        with suppress(OSError, SftpError):
            while (came := self._receive()) is not None:
                with self._lock:
                    answer = self._waiting.pop(came.id, None)
                if answer is not None:
                    answer.packet = came
                    answer.event.set()
        with self._lock:
            self._is_lost = True
            left = list(self._waiting.values())
            self._waiting.clear()
        for answer in left:
            answer.event.set()

    def _send(self, kind: Kind, *fields: bytes) -> _Answer:
        answer = _Answer()
        with self._lock:
            if self._is_lost:
                raise self._gone()
            number = self._next_id
            self._next_id = (number + 1) & 0xFFFFFFFF
            self._waiting[number] = answer
            try:
                write_all(self._process.to_fd, wire.packet(kind, number, *fields))
            except OSError as exc:
                raise self._gone() from exc
        return answer

    def _take(self, answer: _Answer) -> Packet:
        answer.event.wait()
        if answer.packet is None:
            raise self._gone()
        return answer.packet

    def _ask(self, kind: Kind, *fields: bytes) -> Packet:
        return self._take(self._send(kind, *fields))

    def _refusal(self, came: Packet, deed: str, path: str) -> SftpError:
        code, words = came.kind, "an answer that does not fit"
        if came.kind == Kind.STATUS:
            fields = Fields(came.body)
            code = fields.u32()
            words = fields.string().decode(errors="replace") or f"status {code}"
        hint = ""
        if code == Status.PERMISSION_DENIED:
            hint = "the user there may not write; check owner and mode of the folder"
        return SftpError(f"cannot {deed} {path} on {self.shown}: {words}", code=code, hint=hint)

    def _is_ok(self, came: Packet) -> bool:
        return came.kind == Kind.STATUS and Fields(came.body).u32() == Status.OK

    def _do(self, deed: str, path: str, kind: Kind, *fields: bytes) -> None:
        came = self._ask(kind, *fields)
        if not self._is_ok(came):
            raise self._refusal(came, deed, path)

    def lstat(self, path: str) -> Attrs | None:
        """Return what a file is, None if it is not there."""
        came = self._ask(Kind.LSTAT, wire.string(path))
        if came.kind == Kind.ATTRS:
            return Fields(came.body).attrs()
        error = self._refusal(came, "look up", path)
        if error.code == Status.NO_SUCH_FILE:
            return None
        raise error

    def _open(self, path: str, flags: OpenFlag, deed: str) -> bytes:
        attrs = wire.mode_attrs(_FILE_MODE)
        came = self._ask(Kind.OPEN, wire.string(path), wire.u32(flags), attrs)
        if came.kind != Kind.HANDLE:
            raise self._refusal(came, deed, path)
        return Fields(came.body).string()

    def read(self, path: str, max_bytes: int) -> bytes | None:
        """Return a file, None if it is not there.

        Raises:
            SftpError: It cannot be read, or is longer than that.
        """
        try:
            handle = self._open(path, OpenFlag.READ, "read")
        except SftpError as exc:
            if exc.code == Status.NO_SUCH_FILE:
                return None
            raise
        parts: list[bytes] = []
        offset = 0
        try:
            while offset <= max_bytes:
                fields = (wire.string(handle), wire.u64(offset), wire.u32(_CHUNK_BYTES))
                came = self._ask(Kind.READ, *fields)
                if came.kind != Kind.DATA:
                    error = self._refusal(came, "read", path)
                    if error.code == Status.EOF:
                        return b"".join(parts)
                    raise error
                piece = Fields(came.body).string()
                parts.append(piece)
                offset += len(piece)
        finally:
            self._send(Kind.CLOSE, wire.string(handle))
        raise SftpError(f"{path} on {self.shown} is larger than {max_bytes} bytes")

    def write_new(self, path: str, chunks: Iterable[bytes], *, sync: bool) -> None:
        """Write a file that must not be there yet.

        Args:
            path: Where.
            chunks: Its bytes.
            sync: Have it survive a power cut there, where that can be had.

        Raises:
            SftpError: It is there (code FAILURE), or cannot be written.
        """
        handle = wire.string(self._open(path, _FLAGS_NEW, "write"))
        pending: list[_Answer] = []
        offset = 0
        try:
            for chunk in chunks:
                for start in range(0, len(chunk), _CHUNK_BYTES):
                    piece = chunk[start : start + _CHUNK_BYTES]
                    fields = (handle, wire.u64(offset), wire.string(piece))
                    pending.append(self._send(Kind.WRITE, *fields))
                    offset += len(piece)
                    if len(pending) >= _AHEAD:
                        self._require(pending.pop(0), path)
        finally:
            if sync and self.can_sync:
                pending.append(self._send(Kind.EXTENDED, wire.string(wire.FSYNC), handle))
            pending.append(self._send(Kind.CLOSE, handle))
        for answer in pending:
            self._require(answer, path)

    def open_new(self, path: str) -> bytes:
        """Make a file that must not be there yet, and return a handle of it.

        Raises:
            SftpError: It is there (code FAILURE), or cannot be made.
        """
        return self._open(path, _FLAGS_NEW, "write")

    def write_at_start(self, path: str, handle: bytes, data: bytes) -> None:
        """Write through a handle of a file, which may have another name than ``path`` by now."""
        fields = (wire.string(handle), wire.u64(0), wire.string(data))
        self._do("write", path, Kind.WRITE, *fields)

    def close_handle(self, handle: bytes) -> None:
        """Let go of a file, without waiting for an answer."""
        self._send(Kind.CLOSE, wire.string(handle))

    def _require(self, answer: _Answer, path: str) -> None:
        came = self._take(answer)
        if not self._is_ok(came):
            raise self._refusal(came, "write", path)

    def replace(self, path: str, new_path: str) -> None:
        """Rename a file, in place of whatever has that name."""
        name = wire.string(wire.POSIX_RENAME)
        fields = (name, wire.string(path), wire.string(new_path))
        self._do("rename", new_path, Kind.EXTENDED, *fields)

    def move(self, path: str, new_path: str) -> bool:
        """Rename a file to a name that nothing has; False if it is taken, or the file is gone."""
        came = self._ask(Kind.RENAME, wire.string(path), wire.string(new_path))
        if self._is_ok(came):
            return True
        error = self._refusal(came, "rename", path)
        if error.code in {Status.FAILURE, Status.NO_SUCH_FILE}:
            return False
        raise error

    def remove(self, path: str) -> None:
        """Delete a file, if it is there."""
        came = self._ask(Kind.REMOVE, wire.string(path))
        if not self._is_ok(came):
            error = self._refusal(came, "delete", path)
            if error.code != Status.NO_SUCH_FILE:
                raise error

    def make_dir(self, path: str) -> None:
        """Make a folder, unless there is one."""
        came = self._ask(Kind.MKDIR, wire.string(path), wire.mode_attrs(_DIR_MODE))
        if not self._is_ok(came) and self.lstat(path) is None:
            raise self._refusal(came, "make", path)

    def list_dir(self, path: str) -> list[SftpEntry]:
        """Return what a folder holds; nothing if it is not there."""
        came = self._ask(Kind.OPENDIR, wire.string(path))
        if came.kind != Kind.HANDLE:
            error = self._refusal(came, "list", path)
            if error.code == Status.NO_SUCH_FILE:
                return []
            raise error
        handle = Fields(came.body).string()
        found: list[SftpEntry] = []
        try:
            while (came := self._ask(Kind.READDIR, wire.string(handle))).kind == Kind.NAME:
                fields = Fields(came.body)
                for _ in range(fields.u32()):
                    name = fields.string().decode("utf-8", "surrogateescape")
                    fields.string()  # the line that ls would print
                    found.append(SftpEntry(name, fields.attrs()))
        finally:
            self._send(Kind.CLOSE, wire.string(handle))
        error = self._refusal(came, "list", path)
        if error.code != Status.EOF:
            raise error
        return [entry for entry in found if entry.name not in {".", ".."}]

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._is_lost = True
        # Ends the reader as well: its pipe ends with the process.
        self._process.end()
        if self._reader is not None:
            self._reader.join(1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
