# SPDX-License-Identifier: Apache-2.0
"""Which file of the old tree resembles a new one: by its names, or else by its content.

By name, the first of these that finds one or more::

    the same path                                usr/bin/bash
    the same path but for numbers                usr/lib/modules/6.1.0-56/fs/xfs.ko
    the same name elsewhere                      bin/bash, for usr/bin/bash
    the same name but for numbers                libfoo.so.1.3, for libfoo.so.1.2
    the same name up to its first dot            initrd.img-9, for initrd-9

By content: each file is cut into pieces at NULs and newlines, and the 64 pieces with the smallest
hashes stand for all. Two files that share a tenth of their content share some of these.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from heapq import nsmallest
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ostrya.formats.checksum import Checksum

# The best three are tried one after the other, while what the one before gives is poor.
MAX_PARTNERS = 3
SKETCH_SIZE = 64

# So much is cut at a time: the pieces of a large content together take more than it does.
_CUT_BYTES = 1 << 20
_LEAST_SHARED = 4
_NUMBERS = re.compile(r"[0-9]+(?:[._~+:-]?[0-9]+)*")
_PIECE = re.compile(rb"[^\x00\n]{12,256}")


class FileNames(NamedTuple):
    """A file's content, and under which paths a tree has it."""

    checksum: Checksum
    paths: tuple[str, ...]


def find_partners_by_name(
    new: Iterable[FileNames], old: Iterable[FileNames], *, same_path_only: bool = False
) -> dict[Checksum, tuple[Checksum, ...]]:
    """Give for each new file the old ones that may resemble it, likeliest first.

    Files for which there is none are left out.
    """
    old = list(old)
    keys = _KEYS[:1] if same_path_only else _KEYS
    indexes = [(key, _index(old, key)) for key in keys]
    found = {}
    for file in new:
        for key, index in indexes:
            partners = _nearest(file, key, index)
            if partners:
                found[file.checksum] = partners
                break
    return found


def _index(
    files: Iterable[FileNames], key: Callable[[str], str]
) -> dict[str, list[tuple[str, Checksum]]]:
    index: dict[str, list[tuple[str, Checksum]]] = defaultdict(list)
    for file in files:
        for path in file.paths:
            index[key(path)].append((path, file.checksum))
    return index


def _nearest(
    file: FileNames,
    key: Callable[[str], str],
    index: Mapping[str, list[tuple[str, Checksum]]],
) -> tuple[Checksum, ...]:
    ranked = sorted(
        (-_likeness(path, other), other, checksum)
        for path in file.paths
        for other, checksum in index.get(key(path), ())
    )
    return tuple(dict.fromkeys(checksum for _, _, checksum in ranked))[:MAX_PARTNERS]


def _likeness(one: str, other: str) -> int:
    """Count path components that both have at the same end."""
    ones, others = one.split("/"), other.split("/")
    ahead = _common(ones, others)
    behind = _common(ones[::-1], others[::-1])
    return ahead + behind


def _common(ones: list[str], others: list[str]) -> int:
    count = 0
    for one, other in zip(ones, others, strict=False):
        if one != other:
            break
        count += 1
    return count


def _same(path: str) -> str:
    return path


def _without_numbers(path: str) -> str:
    return _NUMBERS.sub("#", path)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _name_without_numbers(path: str) -> str:
    return _without_numbers(_name(path))


def _stem(path: str) -> str:
    name = _name(path)
    # What has no dot, or begins with it, is whole.
    return name.partition(".")[0] or name


_KEYS = (_same, _without_numbers, _name, _name_without_numbers, _stem)


def sketch(data: bytes | memoryview) -> tuple[int, ...]:
    """Give the hashes that stand for a content, smallest first; none where it has no pieces."""
    smallest: set[int] = set()
    for at in range(0, len(data), _CUT_BYTES):
        cut = _PIECE.findall(data[at : at + _CUT_BYTES])
        smallest.update(zlib.crc32(piece) for piece in cut)
        smallest = set(nsmallest(SKETCH_SIZE, smallest))
    return tuple(sorted(smallest))


def find_partners_by_content(
    new: Mapping[Checksum, tuple[int, ...]], old: Mapping[Checksum, tuple[int, ...]]
) -> dict[Checksum, tuple[Checksum, ...]]:
    """Give for each new sketch the old ones that share most with it.

    Files for which there is none are left out.
    """
    holders: dict[int, list[Checksum]] = defaultdict(list)
    for checksum, hashes in old.items():
        for value in hashes:
            holders[value].append(checksum)
    found = {}
    for checksum, hashes in new.items():
        shared: dict[Checksum, int] = defaultdict(int)
        for value in hashes:
            for holder in holders.get(value, ()):
                shared[holder] += 1
        least = min(_LEAST_SHARED, max(1, len(hashes) // 4))
        ranked = sorted((-count, other) for other, count in shared.items() if count >= least)
        if ranked:
            found[checksum] = tuple(other for _, other in ranked[:MAX_PARTNERS])
    return found
