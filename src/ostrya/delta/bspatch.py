# SPDX-License-Identifier: Apache-2.0
"""Patching: an old file and a patch to the new file, in pieces of bounded size.

The layout of a patch stands in ``formats.delta_operations``. The old file is read by its place,
forwards and backwards; the patch is read once, from its start to its end. Where the compiled steps
are there, they do the work; ``bspatch_plain`` is the same in Python, slower.
"""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

from ostrya.delta.bspatch_plain import FARTHEST, plain_patched_chunks
from ostrya.delta.byte_source import CHUNK_BYTES, FileSource
from ostrya.formats.errors import DeltaFormatError

try:
    from ostrya.delta._bspatch import run_steps as _run_steps

    _COMPILED = True
except ImportError:  # built where there was no compiler
    _COMPILED = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.delta.byte_source import ByteSource

# Old files up to this size are read at once, of others a stretch.
_WHOLE_BYTES = 1 << 20
# Places in the state of the compiled steps, and what they end with.
_LEFT, _TAKEN, _MADE, _ERROR, _FIELDS = 4, 5, 6, 9, 10
_FULL, _WANTS_PATCH, _NOT_READ = 0, 1, 5
_REFUSALS = {
    2: "it makes more than the file holds",
    3: "a length is negative",
    4: "it seeks beyond all files",
}


def patched_chunks(
    old: ByteSource, patch: ByteSource, offset: int, size: int, new_size: int
) -> Iterator[bytes]:
    """Yield the new file.

    Args:
        old: The old file; outside it, there are zeros.
        patch: Holds the patch,
        offset: from this place on,
        size: this long.
        new_size: Of the new file.

    Raises:
        DeltaFormatError: The patch makes more or less than that, or is cut short.
    """
    if _COMPILED and isinstance(old, FileSource) and new_size <= FARTHEST:
        return _compiled_chunks(old, _PatchReader(patch, offset, size), new_size)
    return plain_patched_chunks(old, patch, offset, size, new_size)


def is_compiled() -> bool:
    """Say whether the compiled steps are there."""
    return _COMPILED


def _compiled_chunks(old: FileSource, patch: _PatchReader, new_size: int) -> Iterator[bytes]:
    state = array("q", bytes(8 * _FIELDS))
    state[_LEFT] = missing = new_size
    place = (old.fd, old.start, old.size)
    window = bytearray(old.size if old.size <= _WHOLE_BYTES else CHUNK_BYTES)
    room = bytearray(min(missing, CHUNK_BYTES))
    while missing:
        outcome = _run_steps(state, *place, window, patch.buffer, room)
        if outcome == _WANTS_PATCH:
            patch.fill(state[_TAKEN])
            state[_TAKEN] = 0
        elif outcome == _FULL:
            yield bytes(room)
            missing -= len(room)
            state[_MADE] = 0
            if missing < len(room):
                room = bytearray(missing)
        elif outcome == _NOT_READ:
            raise OSError(state[_ERROR], os.strerror(state[_ERROR]))
        else:
            raise DeltaFormatError(f"bsdiff patch failed: {_REFUSALS[outcome]}")


class _PatchReader:
    """Reads a patch from its start to its end.

    Attributes:
        buffer: A stretch of it.
    """

    __slots__ = ("_left", "_position", "_source", "buffer")

    def __init__(self, source: ByteSource, offset: int, size: int) -> None:
        self._source = source
        self._position = offset
        self._left = size
        self.buffer = b""
        if size:
            self.fill(0)

    def fill(self, taken: int) -> None:
        """Let go of what is taken of the buffer, and read on.

        Raises:
            DeltaFormatError: There is no more.
        """
        piece = self._source.read(self._position, min(CHUNK_BYTES, self._left))
        if not piece:
            raise DeltaFormatError("bsdiff patch failed: it is cut short")
        self._position += len(piece)
        self._left -= len(piece)
        rest = self.buffer[taken:]
        self.buffer = rest + piece if rest else piece
