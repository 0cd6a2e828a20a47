# SPDX-License-Identifier: Apache-2.0
"""Operations: what a part does to make its objects, one after the other.

Each is a byte and varints; the objects are those of the part's header, in their order::

    S  size offset                     the next object is metadata: these bytes of the data
    S  mode xattrs size offset         the next object is a file or link: these bytes of the data
    o  mode xattrs size                the next object is a file, made by what follows
    r  offset                          read from the object whose checksum stands in the data
    R                                  read from the data again
    w  size offset                     write bytes of what is read from
    B  offset size                     write the whole file: a patch, in the data, of what is read
    c                                  the file is whole

``mode`` and ``xattrs`` are places in the part's tables. The content of a symbolic link is its
target.

A patch is what bsdiff makes, without compression::

    8  bytes to write by adding a byte of the patch to a byte of the source    -+ integers of 63
    8  bytes to write as they stand in the patch                                | bits and a sign,
    8  bytes to skip in the source, negative for backwards                     -+ little-endian
    …  bytes to add
    …  bytes to write
    8  and so on, until the file is whole

Source: ostree-repo-static-delta-processing.c (dispatch_*), ostree-repo-static-delta-private.h
(OstreeStaticDeltaOpCode); the patch: bsdiff by M. Endsley, whose integers are C. Percival's.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.varint import decode_varint, encode_varint
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.formats.delta_superblock import PartHeader

CONTROL_BYTES = 24
_SIGN = 1 << 63
_CONTROL = Struct("<QQQ")


class SpliceMetadata(NamedTuple):
    """``S`` for a commit or directory: it is this range of the data."""

    name: ObjectName
    size: int
    offset: int


class SpliceFile(NamedTuple):
    """``S`` for a file or symbolic link: its content, or target, is this range of the data.

    Attributes:
        mode: Place in the part's table of modes.
        xattrs: Place in the part's table of extended attributes.
    """

    name: ObjectName
    mode: int
    xattrs: int
    size: int
    offset: int


class Open(NamedTuple):
    """``o``: a file of this size, whose content the next operations write."""

    name: ObjectName
    mode: int
    xattrs: int
    size: int


class Write(NamedTuple):
    """``w``: write a range of the source, or of the data if there is none."""

    size: int
    offset: int


class SetReadSource(NamedTuple):
    """``r``: the object whose raw checksum stands at this place of the data is the source."""

    offset: int


class UnsetReadSource(NamedTuple):
    """``R``: there is no source any more."""


class Close(NamedTuple):
    """``c``: the file that was opened is whole, and there is no source any more."""


class Patch(NamedTuple):
    """``B``: write the whole file, by the patch in this range of the data, from the source."""

    offset: int
    size: int


Operation = (
    SpliceMetadata | SpliceFile | Open | Write | SetReadSource | UnsetReadSource | Close | Patch
)

_CODES: dict[type, bytes] = {
    SpliceMetadata: b"S",
    SpliceFile: b"S",
    Open: b"o",
    Write: b"w",
    SetReadSource: b"r",
    UnsetReadSource: b"R",
    Close: b"c",
    Patch: b"B",
}
# How many integers follow those that are the same whatever the object is.
_PLAIN: dict[int, tuple[Callable[..., Operation], int]] = {
    ord("w"): (Write, 2),
    ord("r"): (SetReadSource, 1),
    ord("R"): (UnsetReadSource, 0),
    ord("c"): (Close, 0),
    ord("B"): (Patch, 2),
}


def encode_operation(operation: Operation) -> bytes:
    """Give the bytes of an operation; the name of the object is not among them.

    Raises:
        FormatError: A number is negative, or larger than 64 bits hold.
    """
    numbers = [field for field in operation if not isinstance(field, ObjectName)]
    return _CODES[type(operation)] + b"".join(map(encode_varint, numbers))


def decode_operations(data: bytes, header: PartHeader) -> Iterator[Operation]:
    """Yield the operations of a part.

    Whether they make sense one after the other, and their ranges, is for whoever runs them to see.

    Args:
        data: The operations of the payload.
        header: Of the part; it says which objects are made.

    Raises:
        DeltaFormatError: An operation is unknown or cut short, or there are more objects than the
            header names.
    """
    made = 0
    at = 0
    count = 0
    while at < len(data):
        code = data[at]
        at += 1
        plain = _PLAIN.get(code)
        if plain is not None:
            kind, length = plain
            numbers, at = _numbers(data, at, length)
            yield kind(*numbers)
        elif code in b"So":
            name = header.object_name(made)
            made += 1
            opens, length = _opening(code, name)
            numbers, at = _numbers(data, at, length)
            yield opens(name, *numbers)
        else:
            raise DeltaFormatError(f"Unknown opcode {code} at offset {count}")
        count += 1


def _opening(code: int, name: ObjectName) -> tuple[Callable[..., Operation], int]:
    if name.type == ObjectType.FILE:
        return (SpliceFile, 4) if code == ord("S") else (Open, 3)
    if code == ord("S"):
        return SpliceMetadata, 2
    raise DeltaFormatError(f"opcode open: {name} is no file")


def _numbers(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    numbers = []
    for _ in range(count):
        try:
            number, at = decode_varint(data, at)
        except FormatError as exc:
            raise DeltaFormatError(exc.message) from exc
        numbers.append(number)
    return numbers, at


class PatchControl(NamedTuple):
    """One step of a patch.

    Attributes:
        add_size: How many bytes are added to bytes of the source.
        extra_size: How many bytes follow as they are.
        seek: How far the place in the source moves then, beyond the bytes that were added to.
    """

    add_size: int
    extra_size: int
    seek: int

    def encode(self) -> bytes:
        """Give the 24 bytes of the step.

        Raises:
            DeltaFormatError: A number does not fit.
        """
        try:
            return b"".join(
                (abs(value) | (_SIGN if value < 0 else 0)).to_bytes(8, "little") for value in self
            )
        except OverflowError as exc:
            raise DeltaFormatError("bsdiff patch failed: a number is too large") from exc

    @classmethod
    def decode(cls, data: bytes) -> PatchControl:
        """Parse the 24 bytes of a step.

        Raises:
            DeltaFormatError: Fewer bytes, or a length below zero.
        """
        if len(data) != CONTROL_BYTES:
            raise DeltaFormatError("bsdiff patch failed: it is cut short")
        add_size, extra_size, seek = _CONTROL.unpack(data)
        if (add_size | extra_size) & _SIGN:
            raise DeltaFormatError("bsdiff patch failed: a length is negative")
        if seek & _SIGN:
            seek = -(seek & ~_SIGN)
        return cls(add_size, extra_size, seek)
