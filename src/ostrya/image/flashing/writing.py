# SPDX-License-Identifier: Apache-2.0
"""An image is written to a device, and read back.

With a map, only what matters is written, and its checksums are verified on the way. Everything is
synchronised before it is read back, past what the kernel remembers.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ostrya.image.errors import FlashError
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.image.bmap import Bmap

_CHUNK_BYTES = 1 << 20
# As often, the device is waited for, so that what is said to be written is.
_SYNC_BYTES = 64 << 20
# Of the end of a larger disk: where somebody else's second partition table may be.
_STALE_BYTES = 34 * 512
_WRITING, _VERIFYING = "writing", "verifying"


class Written(NamedTuple):
    """What was written.

    Attributes:
        image_bytes: How large the image is.
        written_bytes: How much of it was written.
        verified: Whether it was read back.
    """

    image_bytes: int
    written_bytes: int
    verified: bool


class _Extent(NamedTuple):
    """What was written in one go."""

    start: int
    size: int
    digest: str


def write_image(  # noqa: PLR0913  # what is told and asked, by keyword
    chunks: Iterable[bytes],
    fd: int,
    size_bytes: int,
    *,
    bmap: Bmap | None = None,
    image_bytes: int | None = None,
    verify: bool = True,
    progress: ProgressSink = NULL_PROGRESS,
) -> Written:
    """Write an image.

    Args:
        chunks: Its bytes, in their order.
        fd: The device, open for reading and writing.
        size_bytes: How large that is; 0 for a file that grows.
        bmap: What of it matters; None for everything.
        image_bytes: How large it is, where that is known.
        verify: Whether it is read back.
        progress: Told how much is written, and verified.

    Raises:
        FlashError: The image is not the one of its map, or is too large; the device does not hold
            what was written.
        DiskError: The image is damaged.
        OSError: Something cannot be read or written.
    """
    total = bmap.mapped_bytes if bmap is not None else image_bytes
    progress.send(Started(_WRITING, total, Unit.BYTES))
    pieces = _mapped(chunks, bmap) if bmap is not None else _all(chunks)
    writer = _Writer(fd, size_bytes, lambda done: progress.send(Advanced(_WRITING, done)))
    image_end = writer.run(pieces)
    if bmap is not None:
        image_end = bmap.size_bytes
    elif image_bytes is not None and image_end != image_bytes:
        raise FlashError(f"the image has {image_end} bytes, not {image_bytes}: it changed")
    if size_bytes > image_end + _STALE_BYTES:
        os.pwrite(fd, bytes(_STALE_BYTES), size_bytes - _STALE_BYTES)
    os.fsync(fd)
    progress.send(Finished(_WRITING, writer.written))
    if verify:
        _verify(fd, writer.extents, progress)
    return Written(image_end, writer.written, verify)


# -- what is written

# Where it belongs, the bytes, and whether an extent ends with it.
_Piece = tuple[int, memoryview, bool]


def _all(chunks: Iterable[bytes]) -> Iterator[_Piece]:
    at, begun = 0, 0
    for chunk in chunks:
        is_end = at + len(chunk) - begun >= _SYNC_BYTES
        yield at, memoryview(chunk), is_end
        at += len(chunk)
        begun = at if is_end else begun
    yield at, memoryview(b""), True


def _mapped(chunks: Iterable[bytes], bmap: Bmap) -> Iterator[_Piece]:
    """Yield what matters; look whether it is what the map says."""
    ranges = iter(bmap.ranges)
    one = next(ranges, None)
    at, digest = 0, hashlib.new(bmap.checksum_type)
    for chunk in chunks:
        view = memoryview(chunk)
        while view and one is not None:
            start, size = bmap.extent(one)
            skipped = min(len(view), max(0, start - at))
            view, at = view[skipped:], at + skipped
            part = view[: start + size - at]
            if not part:
                continue
            digest.update(part)
            is_end = at + len(part) == start + size
            yield at, part, is_end
            view, at = view[len(part) :], at + len(part)
            if is_end:
                if one.checksum and digest.hexdigest() != one.checksum:
                    raise FlashError(
                        f"the image is not the one of its map: they differ at byte {start}",
                        hint="download it again, or leave the map out with --no-bmap",
                    )
                one, digest = next(ranges, None), hashlib.new(bmap.checksum_type)
        at += len(view)
    if one is not None or at != bmap.size_bytes:
        raise FlashError(
            f"the image has {at} bytes, and its map is of one of {bmap.size_bytes}",
            hint="leave the map out with --no-bmap",
        )


class _Writer:
    """Writes pieces, and remembers the checksums of what follows one another."""

    def __init__(self, fd: int, size_bytes: int, tell: Callable[[int], None]) -> None:
        self._fd, self._size, self._tell = fd, size_bytes, tell
        self.extents: list[_Extent] = []
        self.written = 0

    def run(self, pieces: Iterable[_Piece]) -> int:
        """Write them; return where the last one ends."""
        start = end = unsynced = 0
        digest = hashlib.sha256()
        for at, data, is_end in pieces:
            if end != at:
                start = at
            end = at + len(data)
            if self._size and end > self._size:
                raise FlashError(
                    f"the image is larger than the device, which has {self._size} bytes"
                )
            _write_at(self._fd, at, data)
            digest.update(data)
            self.written += len(data)
            unsynced += len(data)
            if unsynced >= _SYNC_BYTES:
                os.fdatasync(self._fd)
                unsynced = 0
            self._tell(self.written)
            if is_end:
                if end > start:
                    self.extents.append(_Extent(start, end - start, digest.hexdigest()))
                start, digest = end, hashlib.sha256()
        return end


def _write_at(fd: int, at: int, data: memoryview) -> None:
    while data:
        count = os.pwrite(fd, data, at)
        data, at = data[count:], at + count


# -- what was written


def _verify(fd: int, extents: list[_Extent], progress: ProgressSink) -> None:
    # What the kernel remembers of it would say nothing about the device.
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    total = sum(one.size for one in extents)
    progress.send(Started(_VERIFYING, total, Unit.BYTES))
    done = 0
    for one in extents:
        digest = hashlib.sha256()
        for at in range(one.start, one.start + one.size, _CHUNK_BYTES):
            size = min(_CHUNK_BYTES, one.start + one.size - at)
            digest.update(os.pread(fd, size, at))
            done += size
            progress.send(Advanced(_VERIFYING, done))
        if digest.hexdigest() != one.digest:
            raise FlashError(
                f"the device does not hold what was written to it, between bytes {one.start} and "
                f"{one.start + one.size}",
                hint="it is probably worn out, or not as large as it says",
            )
    progress.send(Finished(_VERIFYING, done))
