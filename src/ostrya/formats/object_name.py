# SPDX-License-Identifier: Apache-2.0
"""Object names: a checksum and a type, and the loose path made of them.

::

    2c26b46b…e7ae.dirtree               the name, as messages show it
    2c/26b46b…e7ae.dirtree              its path under objects/
    2c/26b46b…e7ae.filez                content in an archive repository

Source: ostree-core.h (OstreeObjectType), ostree-core.c (_ostree_loose_path).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from ostrya.formats.checksum import HEX_LENGTH, RAW_LENGTH, Checksum, PackedSet, is_checksum
from ostrya.formats.errors import ObjectFormatError, printable
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class ObjectType(IntEnum):
    """What an object is; the numbers are those written into size entries and deltas."""

    FILE = 1
    DIR_TREE = 2
    DIR_META = 3
    COMMIT = 4
    TOMBSTONE_COMMIT = 5
    COMMIT_META = 6
    PAYLOAD_LINK = 7
    FILE_XATTRS = 8
    FILE_XATTRS_LINK = 9

    @property
    def suffix(self) -> str:
        """The ending of this type's file names, without the dot."""
        return SUFFIXES[self]


SUFFIXES: dict[int, str] = {
    ObjectType.FILE: "file",
    ObjectType.DIR_TREE: "dirtree",
    ObjectType.DIR_META: "dirmeta",
    ObjectType.COMMIT: "commit",
    ObjectType.TOMBSTONE_COMMIT: "tombstone-commit",
    ObjectType.COMMIT_META: "commitmeta",
    ObjectType.PAYLOAD_LINK: "payload-link",
    ObjectType.FILE_XATTRS: "file-xattrs",
    ObjectType.FILE_XATTRS_LINK: "file-xattrs-link",
}
TYPES: dict[str, ObjectType] = {suffix: ObjectType(number) for number, suffix in SUFFIXES.items()}

_LOOSE_SUFFIX = {kind: f".{suffix}" for kind, suffix in SUFFIXES.items()}
_LOOSE_TYPES = {**TYPES, "filez": ObjectType.FILE}


class ObjectName(NamedTuple):
    """The full name of an object."""

    checksum: Checksum
    type: ObjectType

    def __str__(self) -> str:
        return f"{self.checksum}.{SUFFIXES[self.type]}"


def parse_object_name(text: str) -> ObjectName:
    """Read ``<checksum>.<suffix>``.

    Raises:
        ObjectFormatError: No such type, or not a checksum.
    """
    checksum, _, suffix = text.rpartition(".")
    kind = TYPES.get(suffix)
    if kind is None or not is_checksum(checksum):
        raise ObjectFormatError(f"Invalid object name {printable(text)}")
    return ObjectName(Checksum(checksum), kind)


def loose_path(name: ObjectName, *, archive: bool) -> str:
    """Give the path under ``objects/``; in archive mode content ends in ``.filez``."""
    checksum, kind = name
    tail = ".filez" if archive and kind == 1 else _LOOSE_SUFFIX[kind]
    return f"{checksum[:2]}/{checksum[2:]}{tail}"


def parse_loose_name(prefix2: str, filename: str) -> ObjectName | None:
    """Read the two parts of a loose path; None if they name no object."""
    rest, dot, suffix = filename.partition(".")
    kind = _LOOSE_TYPES.get(suffix)
    if kind is None or not dot or len(prefix2) != 2 or len(rest) != HEX_LENGTH - 2:
        return None
    checksum = prefix2 + rest
    if not is_checksum(checksum):
        return None
    return ObjectName(Checksum(checksum), kind)


class ObjectNameSet:
    """A set of object names that stays small: under 64 MB for a million."""

    __slots__ = ("_packed",)

    def __init__(self) -> None:
        self._packed = PackedSet(RAW_LENGTH + 1)

    def add(self, name: ObjectName) -> bool:
        """Add a name; say whether it is new."""
        return self._packed.add(bytes.fromhex(name[0]) + _TYPE_BYTES[name[1]])

    def discard(self, name: ObjectName) -> bool:
        """Remove a name if it is there; say whether it was."""
        return self._packed.discard(bytes.fromhex(name[0]) + _TYPE_BYTES[name[1]])

    def __contains__(self, name: ObjectName) -> bool:
        return bytes.fromhex(name[0]) + _TYPE_BYTES[name[1]] in self._packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[ObjectName]:
        for packed in self._packed:
            yield ObjectName(Checksum(packed[:-1].hex()), ObjectType(packed[-1]))


_TYPE_BYTES = {kind: bytes([kind]) for kind in ObjectType}
