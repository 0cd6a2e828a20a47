# SPDX-License-Identifier: Apache-2.0
"""Changed files that no patch makes small, since they are compressed; what they cost a delta."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

from ostrya.delta.bsdiff import make_patch
from ostrya.delta.similarity import FileNames, find_partners_by_name
from ostrya.delta.trees import read_tree
from ostrya.named_tuple import NamedTuple
from ostrya.repo.reader import content_chunks, load_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_MAGIC_BYTES = 64 * 1024
_LARGE_BYTES = 256 * 1024
# Larger ones are not tried.
_MOST_TRIED = 256 << 20
_SLICES = 8
_SLICE_BYTES = 32 * 1024
# What a patch leaves of a file that is not compressed, where most of it stays the same.
_PATCHED_SHARE = 0.1
_MAGICS = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x89LZO", "lzop"),
)
# Where a kernel says that it is one.
_KERNEL_AT = 0x202
_KERNEL = b"HdrS"
# A ramdisk may begin with archives that are not compressed, as of microcode.
_CPIO = (b"070701", b"070702")
_CPIO_HEADER = 110
_CPIO_SIZE = slice(54, 62)
_CPIO_NAME_SIZE = slice(94, 102)
_CPIO_LAST = b"TRAILER!!!\0"
_MOST_NAME = 4096


class CompressedFile(NamedTuple):
    """A changed file that no patch makes small, since it is compressed.

    Attributes:
        path: Where it is.
        how: What it is compressed by, or ``kernel``.
        size: In bytes.
        saving: About how many bytes of each delta would be saved were it not compressed.
    """

    path: str
    how: str
    size: int
    saving: int


def find_compressed_files(repo: Repository, origin: Checksum, to: Checksum) -> list[CompressedFile]:
    """Name the large changed files that are compressed, those that cost most first.

    What each costs now is found out by a patch of some slices of it.

    Raises:
        ObjectNotFound: Something of one of the commits is missing.
    """
    old, new = read_tree(repo, origin), read_tree(repo, to)
    old_names = old.names()
    found = []
    for checksum, paths in new.files.items():
        if checksum in old.files:
            continue
        with load_file(repo, checksum) as file:
            if file.size < _LARGE_BYTES:
                continue
            how = find_compression(file.chunks())
            size, cost = file.size, file.stored_size
        if how is not None:
            friendly = int(cost * _PATCHED_SHARE)
            partners = find_partners_by_name([FileNames(checksum, tuple(paths))], old_names)
            for partner in partners.get(checksum, ())[:1]:
                cost = min(cost, _patch_cost(repo, partner, checksum))
            found.append(CompressedFile(paths[0], how, size, max(0, cost - friendly)))
    return sorted(found, key=lambda one: -one.saving)


def _patch_cost(repo: Repository, old: Checksum, new: Checksum) -> int:
    """Say about how many bytes of a delta a patch takes."""
    source, target = _read(repo, old), _read(repo, new)
    step = max(len(target) // _SLICES, _SLICE_BYTES)
    sample = b"".join(target[at : at + _SLICE_BYTES] for at in range(0, len(target), step))
    if not source or not sample:
        return len(target)
    packed = len(lzma.compress(make_patch(source, sample).data))
    return packed * len(target) // len(sample)


def _read(repo: Repository, checksum: Checksum) -> bytes:
    with load_file(repo, checksum) as file:
        if file.header.is_symlink or file.size > _MOST_TRIED:
            return b""
        return b"".join(content_chunks(repo, checksum, file))


def find_compression(chunks: Iterable[bytes]) -> str | None:
    """Tell from its content whether a file is compressed, and how; no more is read than needed."""
    reader = _Reader(iter(chunks))
    while reader.peek(_CPIO_HEADER).startswith(_CPIO):
        if not _skip_archive(reader):
            return None
    head = reader.peek(_MAGIC_BYTES)
    if head[_KERNEL_AT : _KERNEL_AT + len(_KERNEL)] == _KERNEL:
        return "kernel"
    return next((how for magic, how in _MAGICS if head.startswith(magic)), None)


def _skip_archive(reader: _Reader) -> bool:
    """Go to what follows an archive and its padding; whether it has an end."""
    while (header := reader.peek(_CPIO_HEADER)).startswith(_CPIO):
        try:
            size, name_size = (int(header[at], 16) for at in (_CPIO_SIZE, _CPIO_NAME_SIZE))
        except ValueError:
            return False
        named = _CPIO_HEADER + min(name_size, _MOST_NAME)
        is_last = reader.peek(named)[_CPIO_HEADER:] == _CPIO_LAST
        reader.skip(named + -named % 4 + size + -size % 4)
        if is_last:
            reader.skip_zeros()
            return True
    return False


class _Reader:
    """Goes forward through chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._here = b""

    def peek(self, size: int) -> bytes:
        """Give the next bytes, fewer at the end."""
        while len(self._here) < size and (more := next(self._chunks, b"")):
            self._here += more
        return self._here[:size]

    def skip(self, size: int) -> None:
        while size > len(self._here):
            size -= len(self._here)
            self._here = next(self._chunks, b"")
            if not self._here:
                return
        self._here = self._here[size:]

    def skip_zeros(self) -> None:
        self._here = self._here.lstrip(b"\0")
        while not self._here and (more := next(self._chunks, b"")):
            self._here = more.lstrip(b"\0")
