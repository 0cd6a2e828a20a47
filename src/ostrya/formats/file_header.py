# SPDX-License-Identifier: Apache-2.0
"""File headers: what stands before the content of a file or symbolic link.

The hashed stream of every content object, GVariant ``(uuuusa(ayay))``::

    offset  size
    0       4     length n of the variant, big-endian
    4       4     zero
    8       4     uid, big-endian                        -+
    12      4     gid, big-endian                         |
    16      4     mode, big-endian, file type included    |  the variant,
    20      4     rdev, zero                              |  n bytes
    24      …     symlink target, NUL ("" for a file)     |
    …       …     xattrs, see xattrs                      |
    …       1-8   end of the target, little-endian       -+
    8 + n   rest  content (regular files)

In archive repositories (``.filez``), GVariant ``(tuuuusa(ayay))``: the same with the content's
size (8 bytes, big-endian) before the uid, and the content as raw deflate behind it.

Limits: regular files and symbolic links only; no mode bits above 0o177777; a header of at most
16 MiB.

Source: ostree-core-private.h (_OSTREE_FILE_HEADER_GVARIANT_FORMAT,
_OSTREE_ZLIB_FILE_HEADER_GVARIANT_FORMAT), ostree-core.c (ostree_content_stream_parse).
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error
from typing import Self

from ostrya.formats.errors import GVariantError, ObjectFormatError, printable
from ostrya.formats.gvariant.types import framed_offset_size, offset_size
from ostrya.formats.xattrs import Xattrs, decode_xattrs, encode_xattrs
from ostrya.named_tuple import NamedTuple

PREFIX_SIZE = 8
MAX_HEADER_SIZE = 16 * 1024 * 1024
_SLACK_BYTES = 64 * 1024

_STREAM = Struct(">IIIIII")
_ARCHIVE = Struct(">IIQIIII")
_FIELDS = Struct(">IIII")
_SIZED_FIELDS = Struct(">QIIII")
_S_IFMT = 0o170000
_S_IFREG = 0o100000
_S_IFLNK = 0o120000
_ALL_MODE_BITS = 0o177777


class FileHeader(NamedTuple):
    """Owner, mode, link target and xattrs of a file or symbolic link, as committed."""

    uid: int
    gid: int
    mode: int
    symlink_target: str = ""
    xattrs: Xattrs = ()

    @property
    def is_symlink(self) -> bool:
        """Whether this is a symbolic link; else a regular file."""
        return self.mode & _S_IFMT == _S_IFLNK

    def encode_stream(self) -> bytes:
        """Give what stands before the content in the stream that is hashed.

        Raises:
            ObjectFormatError: The mode, the owner, the target or the xattrs cannot be written.
        """
        uid, gid, mode, target, xattrs = self
        tail = _encode_tail(mode, target, xattrs, 16)
        try:
            return _STREAM.pack(16 + len(tail), 0, uid, gid, mode, 0) + tail
        except struct_error as exc:
            raise ObjectFormatError(f"Invalid file owner {uid}:{gid}") from exc

    def encode_archive(self, size: int) -> bytes:
        """Give what stands before the deflated content in an archive repository.

        Args:
            size: Of the content, before deflating; 0 for a symbolic link.

        Raises:
            ObjectFormatError: The mode, the owner, the target or the xattrs cannot be written.
        """
        uid, gid, mode, target, xattrs = self
        tail = _encode_tail(mode, target, xattrs, 24)
        try:
            return _ARCHIVE.pack(24 + len(tail), 0, size, uid, gid, mode, 0) + tail
        except struct_error as exc:
            raise ObjectFormatError(f"Invalid file owner {uid}:{gid} or size {size}") from exc

    @classmethod
    def decode_stream(cls, data: bytes) -> Self:
        """Parse the variant of a content stream, without its 8-byte prefix.

        Raises:
            FormatError: Not in normal form, or neither file nor symbolic link.
        """
        if len(data) < 16:
            raise GVariantError("Not normal form: file header too short")
        uid, gid, mode, rdev = _FIELDS.unpack_from(data)
        check_file_mode(mode)
        target, xattrs = _decode_tail(data, 16, mode, rdev)
        return cls(uid, gid, mode, target, xattrs)

    @classmethod
    def decode_archive(cls, data: bytes) -> tuple[Self, int]:
        """Parse the variant at the head of a ``.filez``; give it and the content's size.

        Raises:
            FormatError: Not in normal form, or neither file nor symbolic link.
        """
        if len(data) < 24:
            raise GVariantError("Not normal form: file header too short")
        size, uid, gid, mode, rdev = _SIZED_FIELDS.unpack_from(data)
        check_file_mode(mode)
        target, xattrs = _decode_tail(data, 24, mode, rdev)
        return cls(uid, gid, mode, target, xattrs), size


def parse_prefix(first8: bytes) -> int:
    """Give the length of the variant that follows the first 8 bytes of a stream.

    Raises:
        ObjectFormatError: Fewer than 8 bytes, or a length of zero or above ``MAX_HEADER_SIZE``.
    """
    if len(first8) != PREFIX_SIZE:
        raise ObjectFormatError(f"File header ends after {len(first8)} of {PREFIX_SIZE} bytes")
    length = int.from_bytes(first8[:4], "big")
    if length == 0:
        raise ObjectFormatError("File header size is zero")
    if length > MAX_HEADER_SIZE:
        raise ObjectFormatError(f"File header size {length} exceeds size {MAX_HEADER_SIZE}")
    return length


def longest_archive_file(first16: bytes) -> int:
    """Say how long a file of an archive may be that begins with these 16 bytes.

    It is far longer than any compressor makes it, and still in proportion to what the header
    says; of what is no such file, enough may come to see that.
    """
    try:
        length = parse_prefix(first16[:PREFIX_SIZE])
    except ObjectFormatError:
        return _SLACK_BYTES
    size = int.from_bytes(first16[PREFIX_SIZE:16], "big")
    return PREFIX_SIZE + length + size + size // 64 + _SLACK_BYTES


def check_file_mode(mode: int) -> None:
    """Refuse a mode that is neither a regular file's nor a symbolic link's.

    Raises:
        ObjectFormatError: Another file type, or unknown bits.
    """
    kind = mode & _S_IFMT
    if kind not in (_S_IFREG, _S_IFLNK):
        raise ObjectFormatError(f"Invalid file metadata mode {mode}; not a valid file type")
    if mode & ~_ALL_MODE_BITS:
        raise ObjectFormatError(f"Invalid mode {mode}; invalid bits in mode")


def _encode_tail(mode: int, target: str, xattrs: Xattrs, fields: int) -> bytes:
    """Encode what follows the fixed fields: target, xattrs, end of the target."""
    check_file_mode(mode)
    if not target:
        raw = b""
    elif mode & _S_IFMT != _S_IFLNK:
        raise ObjectFormatError("Invalid symlink target of a regular file")
    else:
        raw = _encode_target(target)
    body = b"%b\0%b" % (raw, encode_xattrs(xattrs) if xattrs else b"")
    width = framed_offset_size(fields + len(body), 1)
    return body + (fields + len(raw) + 1).to_bytes(width, "little")


def _encode_target(target: str) -> bytes:
    try:
        raw = target.encode("utf-8")
    except UnicodeEncodeError as exc:
        shown = printable(target)
        raise ObjectFormatError(f"Invalid UTF-8 in symlink target {shown}") from exc
    if b"\0" in raw:
        raise ObjectFormatError("Invalid NUL in symlink target")
    return raw


def _decode_tail(data: bytes, fields: int, mode: int, rdev: int) -> tuple[str, Xattrs]:
    if rdev:
        raise ObjectFormatError(f"Corrupted archive file; invalid rdev {rdev}")
    width = offset_size(len(data))
    body = len(data) - width
    target_end = int.from_bytes(data[body:], "little")
    if not fields < target_end <= body or framed_offset_size(body, 1) != width:
        raise GVariantError("Not normal form: the offset of a file header does not add up")
    raw = bytes(data[fields:target_end])
    if raw.find(0) != len(raw) - 1:
        raise GVariantError("Not normal form: the symlink target does not end at its first NUL")
    if len(raw) > 1 and mode & _S_IFMT != _S_IFLNK:
        raise ObjectFormatError("Invalid symlink target of a regular file")
    try:
        target = raw[:-1].decode("utf-8")
    except UnicodeDecodeError as exc:
        raise GVariantError("Not normal form: the symlink target is not UTF-8") from exc
    return target, decode_xattrs(bytes(data[target_end:body])) if target_end != body else ()
