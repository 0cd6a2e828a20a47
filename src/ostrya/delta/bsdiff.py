# SPDX-License-Identifier: Apache-2.0
"""Make a patch that turns one file into another, in the form that ``formats.delta_operations`` has.

Where the compiled search is there, it does the work; ``bsdiff_plain`` is the same in Python:
slower, and its patches are somewhat larger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple

try:
    from ostrya.delta._bsdiff import make_patch as _make_patch

    _COMPILED = True
except ImportError:  # built where there was no compiler
    _COMPILED = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


class PatchFile(Protocol):
    """A file that a patch is written to, open within a ``with`` statement."""

    @property
    def fd(self) -> int:
        """The file."""

    def map(self, size: int) -> bytes | memoryview:
        """Return what was written; it stays when the file is closed."""


class _Effort(NamedTuple):
    """How a patch is searched for.

    Attributes:
        depth: How many places of the old file are tried for each place of the new one.
        hashed: How many bytes have to be equal there.
        literal: What a byte takes that is in neither of them, in 1/16 bit.
    """

    depth: int
    hashed: int
    literal: int = 104


_QUICK = _Effort(16, 8)
_THOROUGH = _Effort(48, 4)
# A large file of which a search finds little is compressed as a rule: so are its literal bytes.
_COMPRESSED = _Effort(48, 4, 128)
# Where a quick search leaves so much, a thorough one finds more; beyond that, nothing is there
# in a small file.
_POOR_SHARE = 0.25
_HOPELESS_SHARE = 0.7
# Of files from this size on, that is tried on slices.
_LARGE_BYTES = 2 << 20
_SLICES = 8
_SLICE_BYTES = 32 * 1024
_LINK_BYTES = 4
_MAX_HEADS_BYTES = 16 << 20
_PLACES_MAX = (1 << 32) - 2


class MadePatch(NamedTuple):
    """A patch.

    Attributes:
        data: Its bytes, as long as the new file and 24 for each step.
        estimate: About how many bytes it takes once it is compressed.
    """

    data: bytes | memoryview
    estimate: int


def make_patch(
    old: bytes | memoryview,
    new: bytes | memoryview,
    *,
    index_bytes: int = 1 << 30,
    new_file: Callable[[], AbstractContextManager[PatchFile]] | None = None,
) -> MadePatch:
    """Make a patch.

    Args:
        old: What is there.
        new: What shall be there.
        index_bytes: How much memory the search may take beside both, roughly. With less, fewer
            places of the old file are known to it, and the patch becomes larger.
        new_file: Opens a file for the patch; with None it is in memory.
    """
    if not _COMPILED:
        from ostrya.delta.bsdiff_plain import make_plain_patch

        return MadePatch(*make_plain_patch(memoryview(old), memoryview(new)))
    stride = choose_stride(len(old), index_bytes)
    if len(new) >= _LARGE_BYTES:
        sample = _sample(new)
        tried = _search(old, sample, stride, _QUICK)
        likely = tried.estimate <= len(sample) * _POOR_SHARE
        return _search(old, new, stride, _QUICK if likely else _COMPRESSED, new_file)
    made = _search(old, new, stride, _QUICK, new_file)
    if not _is_poor(made, new):
        return made
    better = _search(old, new, stride, _THOROUGH, new_file)
    return min(made, better, key=lambda patch: patch.estimate)


def _search(
    old: bytes | memoryview,
    new: bytes | memoryview,
    stride: int,
    effort: _Effort,
    new_file: Callable[[], AbstractContextManager[PatchFile]] | None = None,
) -> MadePatch:
    how = (effort.depth, stride, effort.hashed, effort.literal)
    if new_file is None:
        return MadePatch(*_make_patch(old, new, *how))
    with new_file() as file:
        size, estimate = _make_patch(old, new, *how, file.fd)
        return MadePatch(file.map(size), estimate)


def _is_poor(made: MadePatch, new: bytes | memoryview) -> bool:
    return len(new) * _POOR_SHARE < made.estimate < len(new) * _HOPELESS_SHARE


def _sample(data: bytes | memoryview) -> bytes:
    step = len(data) // _SLICES
    return b"".join(data[at : at + _SLICE_BYTES] for at in range(0, step * _SLICES, step))


def choose_stride(old_size: int, index_bytes: int) -> int:
    """Say how many bytes apart the places lie that the index knows."""
    stride = 1
    while _index_size(old_size // stride) > index_bytes or old_size // stride > _PLACES_MAX:
        stride *= 2
        if stride > old_size:
            break
    return stride


def _index_size(places: int) -> int:
    heads = min(_MAX_HEADS_BYTES, _LINK_BYTES << max(10, places.bit_length()))
    return heads + _LINK_BYTES * places


def is_compiled() -> bool:
    """Say whether the compiled search is there."""
    return _COMPILED
