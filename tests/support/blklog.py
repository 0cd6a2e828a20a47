# SPDX-License-Identifier: Apache-2.0
"""What a disk was told to write, in the order it was told, and what of it a power cut may leave.

QEMU's driver ``blklogwrites`` writes the format of Linux' dm-log-writes::

    sector 0        u64 magic 0x6a736677736872, u64 version 1, u64 number of entries, u32 sector size
    each entry      one sector: u64 sector, u64 number of sectors, u64 flags, u64 length of data;
                    behind it what was written, whole sectors, but for what was discarded

Sectors of entries are of 512 bytes, whatever the log's own sectors are of. A write is certain once a
flush that was begun behind it is over; one with FUA is certain by itself. What is not certain may be
there or not, each write for itself: a disk may do them in any order.
"""

from __future__ import annotations

import mmap
import os
import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

MAGIC = 0x6A736677736872
VERSION = 1
UNIT_BYTES = 512
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")


class LogError(ValueError):
    """It is no such log."""


class Write(NamedTuple):
    """One entry.

    Attributes:
        offset: Where on the disk, in bytes.
        length: How much.
        flags: FLUSH, FUA, DISCARD.
        at: Where in the log its data are; -1 if it has none, and zeros are as good.
    """

    offset: int
    length: int
    flags: int
    at: int

    @property
    def is_flush(self) -> bool:
        """Whether all that was written before it is certain."""
        return bool(self.flags & FLUSH)

    @property
    def changes(self) -> bool:
        """Whether it writes anything."""
        return self.length > 0 and not self.flags & MARK


class WriteLog:
    """A log, read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self.writes = list(_entries(self._map))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._map.close()

    def data(self, write: Write) -> bytes:
        """What a write wrote; zeros for what was discarded."""
        return (
            bytes(write.length) if write.at < 0 else self._map[write.at : write.at + write.length]
        )

    def flushes(self) -> list[int]:
        """How many entries there are up to and with each flush."""
        return [at + 1 for at, one in enumerate(self.writes) if one.is_flush]


def _entries(data: mmap.mmap) -> Iterator[Write]:
    if len(data) < _SUPER.size:
        raise LogError("a log of writes has at least one sector")
    magic, version, count, sector = _SUPER.unpack_from(data, 0)
    if magic != MAGIC or version != VERSION or sector < UNIT_BYTES or sector % UNIT_BYTES:
        raise LogError(
            f"no log of writes: {magic:#x}, version {version}, sectors of {sector} bytes"
        )
    at = sector
    for number in range(count):
        if at + sector > len(data):
            raise LogError(f"entry {number} of {count} is cut off")
        first, sectors, flags, length = _ENTRY.unpack_from(data, at)
        at += sector + -(-length // sector) * sector if flags & MARK else sector
        size = 0 if flags & MARK else sectors * UNIT_BYTES
        has_data = size > 0 and not flags & DISCARD
        if has_data and at + size > len(data):
            raise LogError(f"what entry {number} of {count} wrote is cut off")
        yield Write(first * UNIT_BYTES, size, flags, at if has_data else -1)
        if has_data:
            at += -(-size // sector) * sector


class State(NamedTuple):
    """What a power cut may leave.

    Attributes:
        certain: So many entries of the log, which are there for certain.
        extra: Numbers of later ones that are there too, in their order.
        torn_bytes: How much there is of the last of those; 0 for all.
    """

    certain: int
    extra: tuple[int, ...] = ()
    torn_bytes: int = 0

    def __str__(self) -> str:
        more = f" and {', '.join(map(str, self.extra))}" if self.extra else ""
        torn = f" (the last one's first {self.torn_bytes} bytes)" if self.torn_bytes else ""
        return f"{self.certain} entries{more}{torn}"


class Bounds(NamedTuple):
    """How many states are looked at.

    Attributes:
        most: Of the beginnings, and of the single writes, between two flushes; evenly chosen.
        samples: Random choices between two flushes.
        seed: Of those.
    """

    most: int = 12
    samples: int = 4
    seed: int = 0


def states(
    log: Sequence[Write],
    bounds: Bounds = Bounds(),  # noqa: B008
    *,
    start: int = 0,
    end: int | None = None,
) -> Iterator[State]:
    """Everything that a power cut may leave, within bounds, in the order of the log.

    Of what lies between two flushes: nothing, every beginning, every single write, all, and random
    choices, of which some end within a write. The same state is given once.

    Args:
        log: The entries.
        bounds: How many.
        start: As many entries as are there in any case.
        end: Where the log ends, if it is not to be looked at as a whole.
    """
    end = len(log) if end is None else end
    draw = random.Random(bounds.seed)
    certain = start
    for bound in [*(at for at in range(start, end) if log[at].is_flush), end]:
        loose = [at for at in range(certain, bound) if log[at].changes]
        found = dict.fromkeys(_choices(log, certain, loose, bounds, draw))
        # What is there after the flush is what the next round begins with.
        yield from found if bound == end else (one for one in found if one.extra != tuple(loose))
        # A flush comes before what its own entry writes.
        certain = bound if bound == end or log[bound].changes else bound + 1


def _choices(
    log: Sequence[Write], certain: int, loose: list[int], bounds: Bounds, draw: random.Random
) -> Iterator[State]:
    """States between two flushes; what was forced, and over, is there in later ones."""

    def state(chosen: set[int], last: int, torn: int = 0) -> State:
        forced = {one for one in loose if one < last and log[one].flags & FUA}
        return State(certain, tuple(sorted(chosen | forced | {last})), torn)

    yield State(certain)
    for at in _evenly(range(len(loose)), bounds.most):
        yield state(set(loose[:at]), loose[at])
    for one in _evenly(loose, bounds.most):
        yield state(set(), one)
    for at in range(bounds.samples if loose else 0):
        # The power goes somewhere; of what was asked for until then, some was done.
        place = draw.randrange(len(loose))
        some = {one for one in loose[:place] if draw.random() < 0.5}
        units = log[loose[place]].length // UNIT_BYTES
        torn = draw.randrange(1, units) * UNIT_BYTES if at % 2 and units > 1 else 0
        yield state(some, loose[place], torn)


def _evenly(found: Sequence[int], most: int) -> Sequence[int]:
    """So many of them, the first and the last among those."""
    if len(found) <= most:
        return found
    return [found[at * (len(found) - 1) // (most - 1)] for at in range(most)]


class Replay:
    """A disk's image that is brought forward along a log, and shown in states behind a power cut."""

    def __init__(self, base: Path, log: WriteLog, image: Path) -> None:
        """Begin with a copy of what the disk was when the log began."""
        copy_sparse(base, image)
        self.path = image
        self._log = log
        self._fd = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        self._done = 0
        self._undo: list[tuple[int, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._fd)

    def show(self, state: State) -> Path:
        """Make the image what it is in a state; states come in the order of the log."""
        for offset, data in reversed(self._undo):
            os.pwrite(self._fd, data, offset)
        self._undo.clear()
        if state.certain < self._done:
            raise ValueError(f"the image has {self._done} writes already, not {state.certain}")
        for at in range(self._done, state.certain):
            self._write(at)
        self._done = state.certain
        for at in state.extra:
            one = self._log.writes[at]
            self._undo.append((one.offset, os.pread(self._fd, one.length, one.offset)))
            self._write(at, state.torn_bytes if at == state.extra[-1] else 0)
        return self.path

    def _write(self, at: int, torn_bytes: int = 0) -> None:
        one = self._log.writes[at]
        if one.changes:
            data = self._log.data(one)
            os.pwrite(self._fd, data[:torn_bytes] if torn_bytes else data, one.offset)


def copy_sparse(source: Path, target: Path) -> None:
    """Copy an image, and leave out what was never written."""
    target.unlink(missing_ok=True)
    with target.open("wb") as stream:
        stream.truncate(source.stat().st_size)
    write_sparse(source, target)


def write_sparse(source: Path, target: Path, *, at: int = 0) -> None:
    """Write an image into one that is there, but for what was never written."""
    with target.open("r+b") as stream:
        for offset, data in data_in(source, 0, source.stat().st_size):
            stream.seek(at + offset)
            stream.write(data)


def data_in(source: Path, offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    """What was written of a part of an image, with offsets from the part's beginning."""
    with source.open("rb") as stream:
        at, end = offset, offset + size
        while at < end:
            try:
                at = os.lseek(stream.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            hole = min(os.lseek(stream.fileno(), at, os.SEEK_HOLE), end)
            stream.seek(at)
            while at < hole:
                data = stream.read(min(1 << 20, hole - at))
                yield at - offset, data
                at += len(data)


def drive_options(image: Path, log: Path, node: str = "disk0") -> list[str]:
    """QEMU's options for a disk whose writes are logged; a device names the node as its drive."""
    return [
        "-blockdev", f"driver=file,node-name={node}-file,filename={image}",
        "-blockdev", f"driver=raw,node-name={node}-raw,file={node}-file",
        "-blockdev", f"driver=file,node-name={node}-log,filename={log}",
        # Without the last one, the number of entries is known at the end only.
        "-blockdev", f"driver=blklogwrites,node-name={node},file={node}-raw,log={node}-log,log-super-update-interval=1",
    ]  # fmt: skip


def count_entries(path: Path) -> int:
    """How many entries a log has that is still written."""
    with path.open("rb") as stream:
        found: int = _SUPER.unpack(stream.read(_SUPER.size))[2]
    return found


def make_log(path: Path, size_bytes: int = 4 << 30) -> Path:
    """Make the empty file that a log is written to: sparse, and larger than all that is written."""
    path.unlink(missing_ok=True)
    with path.open("wb") as stream:
        stream.truncate(size_bytes)
    return path
