# SPDX-License-Identifier: Apache-2.0
"""Filemeta: ownership of a file in a ``bare-user`` repository, the xattr ``user.ostreemeta``.

Wire format, GVariant ``(uuua(ayay))``::

    offset  size
    0       4     uid, big-endian
    4       4     gid, big-endian
    8       4     mode, big-endian, file type included
    12      rest  xattrs, see xattrs

Limits: regular files and symbolic links only; the target of a link is the file's content.

Source: ostree-core-private.h (OSTREE_FILEMETA_GVARIANT_FORMAT).
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error

from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.file_header import FileHeader, check_file_mode
from ostrya.formats.xattrs import decode_xattrs, encode_xattrs

_FIXED = Struct(">III")


def decode_filemeta(data: bytes) -> FileHeader:
    """Parse the attribute; the link target stays empty.

    Raises:
        FormatError: Not in normal form, or the mode is neither a file's nor a link's.
    """
    if len(data) < _FIXED.size:
        raise GVariantError("Not normal form: filemeta too short")
    uid, gid, mode = _FIXED.unpack_from(data)
    check_file_mode(mode)
    xattrs = decode_xattrs(bytes(data[_FIXED.size :]))
    return FileHeader(uid, gid, mode, "", xattrs)


def encode_filemeta(header: FileHeader) -> bytes:
    """Give the bytes of the attribute.

    Raises:
        ObjectFormatError: A number does not fit, or the mode is neither a file's nor a link's.
    """
    check_file_mode(header.mode)
    try:
        return _FIXED.pack(header.uid, header.gid, header.mode) + encode_xattrs(header.xattrs)
    except struct_error as exc:
        raise ObjectFormatError(f"Invalid file owner {header.uid}:{header.gid}") from exc
