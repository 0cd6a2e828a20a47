# SPDX-License-Identifier: Apache-2.0
"""Dirtree: the object that lists the entries of one directory.

Wire format, GVariant ``(a(say)a(sayay))``, alignment 1::

    files | directories | end of the files

    files:        entry | entry | … | ends of the entries
      entry:      name NUL | 32 bytes: content | end of the name
    directories:  entry | entry | … | ends of the entries
      entry:      name NUL | 32 bytes: dirtree | 32 bytes: dirmeta
                  | end of the first checksum | end of the name

Ends are little-endian and take 1, 2, 4 or 8 bytes: as few as the size of what they stand in
allows, so that an entry with a long name or a large directory has wider ones.

Limits: names are UTF-8, not empty, not ``.`` or ``..``, without ``/``; files and directories
are each sorted by the bytes of their names, and no name comes twice. There are 1,048,576 of each
at most, since even the shortest entry takes hundreds of bytes of memory.

Source: ostree-core.h (OSTREE_TREE_GVARIANT_FORMAT), ostree-core.c
(ostree_validate_structureof_dirtree), ot-unix-utils.c (ot_util_filename_validate).
"""

from __future__ import annotations

from itertools import pairwise
from operator import lt
from struct import unpack
from typing import TYPE_CHECKING, Any, Self, cast

from ostrya.formats.checksum import HEX_LENGTH, RAW_LENGTH, Checksum, from_raw
from ostrya.formats.errors import GVariantError, ObjectFormatError, printable
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import pack_offsets
from ostrya.formats.gvariant.types import framed_offset_size, offset_size
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FileEntry = tuple[str, Checksum]
DirEntry = tuple[str, Checksum, Checksum]

MAX_ENTRIES = 1 << 20
# Entries that are decoded at once: what they are made of is soon dropped.
_BATCH = 8192
_ARRAY_TYPES = ("", "a(say)", "a(sayay)")
# The offsets at the end of an entry, by the number of its checksums and where its name ends,
# as long as one byte each is enough.
_NARROW_FRAMES: tuple[tuple[bytes, ...], ...] = (
    (),
    tuple(bytes([end]) for end in range(0xFF - RAW_LENGTH)),
    tuple(bytes([end + RAW_LENGTH, end]) for end in range(0xFE - 2 * RAW_LENGTH)),
)


class DirTree(NamedTuple):
    """The files (name, content) and directories (name, dirtree, dirmeta) of a directory."""

    files: tuple[FileEntry, ...] = ()
    dirs: tuple[DirEntry, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Parse a ``.dirtree`` object.

        Raises:
            FormatError: Not in normal form, or a name or checksum is not valid.
        """
        size = len(data)
        width = offset_size(size)
        body = size - width
        files_end = int.from_bytes(data[max(body, 0) :], "little")
        if body < files_end or framed_offset_size(body, 1) != width:
            raise _not_normal()
        file_names, file_sums = _decode_entries(bytes(data[:files_end]), 1)
        dir_names, dir_sums = _decode_entries(bytes(data[files_end:body]), 2)
        _check_disjoint(file_names, dir_names)
        files = tuple(zip(file_names, file_sums, strict=True))
        dirs = tuple(zip(dir_names, dir_sums[::2], dir_sums[1::2], strict=True))
        return cls(files, dirs)

    def encode(self) -> bytes:
        """Give the bytes of the object.

        Raises:
            ObjectFormatError: A name or checksum is not valid, or the names are out of order.
        """
        file_names = [entry[0] for entry in self.files]
        dir_names = [entry[0] for entry in self.dirs]
        _check_names(file_names)
        _check_names(dir_names)
        _check_disjoint(file_names, dir_names)
        files = _encode_entries(self.files, 1)
        dirs = _encode_entries(self.dirs, 2)
        body = len(files) + len(dirs)
        return files + dirs + len(files).to_bytes(framed_offset_size(body, 1), "little")


def check_filename(name: str) -> None:
    """Refuse what cannot be the name of a directory entry.

    Raises:
        ObjectFormatError: Empty, ``.``, ``..``, or with a ``/``, a NUL or something not UTF-8.
    """
    if not name:
        raise ObjectFormatError("Invalid empty filename")
    if name == ".":
        raise ObjectFormatError("Invalid self-referential filename '.'")
    if name == "..":
        raise ObjectFormatError("Invalid path uplink filename '..'")
    if "/" in name:
        raise ObjectFormatError(f"Invalid / in filename {printable(name)}")
    if "\0" in name:
        raise ObjectFormatError("Invalid NUL in filename")
    if not name.isascii():
        _encode_name(name)


def _encode_name(name: str) -> bytes:
    try:
        return name.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise ObjectFormatError(f"Invalid UTF-8 in filename {printable(name)}") from exc


def _check_names(names: Sequence[str]) -> None:
    """Refuse names that are invalid, out of order, double or too many, cheaply for good ones."""
    _check_count(len(names))
    for first in range(0, len(names), _BATCH):
        batch = names[first : first + _BATCH]
        text = "/".join(batch)
        if text.count("/") >= len(batch) or "\0" in text or not text.isascii():
            for name in batch:
                check_filename(name)
    for name in ("", ".", ".."):
        if name in names:
            check_filename(name)
    # Code point order is the order of the UTF-8 bytes.
    if not all(map(lt, names, names[1:])):
        raise _order_error(names)


def _check_count(count: int) -> None:
    if count > MAX_ENTRIES:
        raise ObjectFormatError(f"A directory of {count:,} entries; at most {MAX_ENTRIES:,}")


def _order_error(names: Sequence[str]) -> ObjectFormatError:
    before, after = next(pair for pair in pairwise(names) if pair[0] >= pair[1])
    if before == after:
        return ObjectFormatError(f"Duplicate filename {before}")
    return ObjectFormatError(f"Incorrectly sorted filename (prev={before}, cur={after})")


def _check_disjoint(files: Iterable[str], dirs: Iterable[str]) -> None:
    if files and dirs:
        both = set(files).intersection(dirs)
        if both:
            raise ObjectFormatError(f"Duplicate filename {min(both)}")


def _not_normal() -> GVariantError:
    return GVariantError("Not normal form: the offsets of a dirtree do not add up")


def _decode_entries(data: bytes, sums: int) -> tuple[list[str], list[Checksum]]:
    """Decode one of the two arrays; give its names, and all its checksums in a row."""
    size = len(data)
    if not size:
        return [], []
    width = offset_size(size)
    table = int.from_bytes(data[size - width :], "little")
    count, rest = divmod(size - table, width)
    if count < 1 or rest or framed_offset_size(table, count) != width:
        raise _not_normal()
    _check_count(count)
    names: list[str] = []
    checksums: list[Checksum] = []
    narrow = _NARROW_FRAMES[sums]
    tail = RAW_LENGTH * sums
    start = 0
    for place in range(table, size, _BATCH * width):
        raw_names: list[bytes] = []
        raw_sums: list[bytes] = []
        for end in _unpack_ends(data[place : place + _BATCH * width], width):
            frame = sums if end - start < 256 else sums * offset_size(end - start)
            sums_end = end - frame
            name_end = sums_end - tail
            length = name_end - start
            if length < 1 or end > table or data[name_end - 1]:
                raise _explain(data, sums)
            if data[sums_end:end] != (narrow[length] if frame == sums else _frame(length, sums)):
                raise _explain(data, sums)
            raw_names.append(data[start : name_end - 1])
            raw_sums.append(data[name_end:sums_end])
            start = end
        names += _decode_names(raw_names)
        digits = b"".join(raw_sums).hex()
        checksums += [
            Checksum(digits[at : at + HEX_LENGTH]) for at in range(0, len(digits), HEX_LENGTH)
        ]
    if start != table:
        raise _not_normal()
    _check_names(names)
    return names, checksums


def _unpack_ends(table: bytes, width: int) -> Sequence[int]:
    if width == 1:
        return table
    code = "H" if width == 2 else "I" if width == 4 else "Q"
    return cast("tuple[int, ...]", unpack(f"<{len(table) // width}{code}", table))


def _frame(name_end: int, sums: int) -> bytes:
    """Give the offsets that stand at the end of an entry."""
    ends = [name_end + RAW_LENGTH, name_end] if sums == 2 else [name_end]
    return pack_offsets(ends, name_end + RAW_LENGTH * sums)


def _decode_names(raw_names: list[bytes]) -> list[str]:
    try:
        text = b"\0".join(raw_names).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise GVariantError("Not normal form: a filename is not UTF-8") from exc
    names = text.split("\0")
    if len(names) != len(raw_names):
        raise GVariantError("Not normal form: a filename with a NUL")
    return names


def _explain(data: bytes, sums: int) -> GVariantError | ObjectFormatError:
    """Find out what is wrong with an array, by the general codec, slowly."""
    try:
        entries: tuple[Any, ...] = decode_variant(_ARRAY_TYPES[sums], data)
        for name, *checksums in entries:
            check_filename(name)
            for raw in checksums:
                from_raw(raw)
    except (GVariantError, ObjectFormatError) as exc:
        return exc
    return _not_normal()


def _encode_entries(entries: Sequence[tuple[str, ...]], sums: int) -> bytes:
    narrow = _NARROW_FRAMES[sums]
    limit = len(narrow)
    body = bytearray()
    ends: list[int] = []
    for entry in entries:
        raw_name = entry[0].encode("utf-8")
        name_end = len(raw_name) + 1
        frame = narrow[name_end] if name_end < limit else _frame(name_end, sums)
        body += b"%b\0%b%b" % (raw_name, _raw_sums(entry, sums), frame)
        ends.append(len(body))
    return bytes(body) + pack_offsets(ends, len(body))


def _raw_sums(entry: tuple[str, ...], sums: int) -> bytes:
    try:
        raw = bytes.fromhex(entry[1] if sums == 1 else entry[1] + entry[2])
    except ValueError:
        raw = b""
    if len(raw) != RAW_LENGTH * sums:
        raise ObjectFormatError(f"Invalid checksum of entry {entry[0]}")
    return raw
