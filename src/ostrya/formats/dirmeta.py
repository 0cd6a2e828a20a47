# SPDX-License-Identifier: Apache-2.0
"""Dirmeta: the metadata object of one directory.

Wire format, GVariant ``(uuua(ayay))``::

    offset  size
    0       4     uid, big-endian
    4       4     gid, big-endian
    8       4     mode, big-endian, file type bits included (0o040000)
    12      rest  xattrs, see xattrs

Limits: the mode is a directory's and has no bits above 0o177777.

Source: ostree-core.h (OSTREE_DIRMETA_GVARIANT_FORMAT), ostree-core.c
(ostree_validate_structureof_dirmeta).
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error
from typing import Self

from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.xattrs import Xattrs, decode_xattrs, encode_xattrs
from ostrya.named_tuple import NamedTuple

_FIXED = Struct(">III")
_S_IFMT = 0o170000
_S_IFDIR = 0o040000
_ALL_MODE_BITS = 0o177777


class DirMeta(NamedTuple):
    """Owner, mode and xattrs of a directory, as committed."""

    uid: int
    gid: int
    mode: int
    xattrs: Xattrs = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Parse a ``.dirmeta`` object.

        Raises:
            FormatError: Not in normal form, the mode is not a directory's, or the xattrs are
                not sorted.
        """
        if len(data) < _FIXED.size:
            raise GVariantError("Not normal form: dirmeta too short")
        uid, gid, mode = _FIXED.unpack_from(data)
        check_directory_mode(mode)
        return cls(uid, gid, mode, decode_xattrs(bytes(data[_FIXED.size :])))

    def encode(self) -> bytes:
        """Give the bytes of the object.

        Raises:
            ObjectFormatError: A number does not fit, or the mode is not a directory's.
        """
        uid, gid, mode, xattrs = self
        check_directory_mode(mode)
        try:
            return _FIXED.pack(uid, gid, mode) + encode_xattrs(xattrs)
        except struct_error as exc:
            raise ObjectFormatError(f"Invalid directory owner {uid}:{gid}") from exc


def check_directory_mode(mode: int) -> None:
    """Refuse a mode that is not a directory's.

    Raises:
        ObjectFormatError: Another file type, or unknown bits.
    """
    if mode & _S_IFMT != _S_IFDIR:
        raise ObjectFormatError(f"Invalid directory metadata mode {mode}; not a directory")
    if mode & ~_ALL_MODE_BITS:
        raise ObjectFormatError(f"Invalid mode {mode}; invalid bits in mode")
