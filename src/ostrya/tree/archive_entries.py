# SPDX-License-Identifier: Apache-2.0
"""The entries of an archive, whatever its kind: tar and cpio, compressed or not.

Archives are read once, from front to back, so they may come through a pipe.
"""

from __future__ import annotations

import math
import stat
import tarfile
from typing import IO, TYPE_CHECKING, cast

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.named_tuple import NamedTuple
from ostrya.tree.archive_kinds import ISO_HEAD_BYTES, name_kind
from ostrya.tree.archive_sparse import expand
from ostrya.tree.archive_stream import ArchiveReader, InflatedStream, find_compression
from ostrya.tree.archive_tar import TAR_ERRORS, BoundedTarFile, stream_of
from ostrya.tree.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK_BYTES = 1 << 20
_MAX_CPIO_NAME_BYTES = 1 << 16
_NEWC_MAGICS = (b"070701", b"070702")
_ODC_MAGIC = b"070707"
_SCHILY = "SCHILY.xattr."
_LIBARCHIVE = "LIBARCHIVE.xattr."
_TRAILER = "TRAILER!!!"
_DIGITS = b"0123456789abcdefABCDEF"
_SELINUX = "RHT.security.selinux"


class ArchiveEntry(NamedTuple):
    """One entry of an archive.

    Attributes:
        path: As the archive spells it.
        uid: Owner.
        gid: Group.
        mode: File type and permission bits.
        size: Bytes of content.
        symlink_target: Of a symbolic link.
        hardlink: The path that this is another name of, None if it is not one.
        xattrs: Extended attributes.
        mtime: When it was changed, in seconds since 1970 UTC.
        chunks: Yields the content, once, before the next entry is asked for.
    """

    path: str
    uid: int
    gid: int
    mode: int
    size: int
    symlink_target: str
    hardlink: str | None
    xattrs: Xattrs
    mtime: int
    chunks: Callable[[], Iterator[bytes]]


def read_archive(stream: IO[bytes], *, max_bytes: int | None = None) -> Iterator[ArchiveEntry]:
    """Yield the entries of an archive.

    Args:
        stream: The archive.
        max_bytes: How large it may be when it is inflated; anything if None.

    Raises:
        ArchiveError: It is damaged, of no known kind, or too large.
    """
    reader = ArchiveReader(stream)
    plain = reader
    if find_compression(reader.peek(6)):
        plain = ArchiveReader(InflatedStream(reader, max_bytes=max_bytes))
    head = plain.peek(512)
    if head[:6] in _NEWC_MAGICS:
        yield from _read_newc(plain)
    elif head[:6] == _ODC_MAGIC:
        yield from _read_odc(plain)
    elif not head:
        # Nothing at all is an archive without entries.
        return
    elif _looks_like_tar(plain, head):
        yield from _read_tar(plain)
    else:
        kind = name_kind(plain.peek(ISO_HEAD_BYTES))
        raise ArchiveError(
            "Unrecognized archive format" + (f": {kind}" if kind else ""),
            hint="tar and cpio are read, plain or compressed by gzip, bzip2, xz, lzma or zstd",
        )


# -- tar


def _looks_like_tar(reader: ArchiveReader, head: bytes) -> bool:
    if head[257:262] == b"ustar":
        return True
    if not head.strip(b"\0"):
        return not name_kind(reader.peek(ISO_HEAD_BYTES))
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _read_tar(reader: ArchiveReader) -> Iterator[ArchiveEntry]:
    try:
        with BoundedTarFile.open_stream(reader) as archive:
            while (member := archive.next_member()) is not None:
                yield _tar_entry(archive, member)
    except TAR_ERRORS as exc:
        raise ArchiveError(f"Damaged tar archive: {exc}") from exc


def _tar_entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> ArchiveEntry:
    hardlink = member.linkname if member.islnk() else None
    return ArchiveEntry(
        # tarfile takes the slash away, which there is in all but very few archives.
        f"{member.name}/" if member.isdir() else member.name,
        member.uid,
        member.gid,
        _tar_type(member) | stat.S_IMODE(member.mode),
        # A hard link may state a size, but has no content of its own here.
        member.size if _has_content(member) else 0,
        member.linkname if member.issym() else "",
        hardlink,
        _tar_xattrs(member),
        _tar_time(member),
        lambda: _tar_chunks(archive, member),
    )


def _has_content(member: tarfile.TarInfo) -> bool:
    # POSIX: what has an unknown type is a regular file.
    return member.isreg() or member.type not in tarfile.SUPPORTED_TYPES


def _tar_type(member: tarfile.TarInfo) -> int:
    if member.isdir():
        return stat.S_IFDIR
    if member.issym():
        return stat.S_IFLNK
    if member.isfifo():
        return stat.S_IFIFO
    if member.ischr():
        return stat.S_IFCHR
    if member.isblk():
        return stat.S_IFBLK
    return stat.S_IFREG


def _tar_time(member: tarfile.TarInfo) -> int:
    # Extended headers may say anything that is a number.
    return int(member.mtime) if math.isfinite(member.mtime) else 0


def _tar_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    if not _has_content(member):
        return
    stream = stream_of(archive)
    # Where the next header stands, the data has ended.
    stored = archive.offset - member.offset_data
    whole = [(0, member.size)]
    pieces = cast("list[tuple[int, int]]", member.sparse) if member.issparse() else whole
    try:
        stream.seek(member.offset_data)
        yield from expand(pieces, member.size, stored, stream.read)
    except TAR_ERRORS as exc:
        raise ArchiveError(f"Damaged tar archive in {member.name}: {exc}") from exc


def _tar_xattrs(member: tarfile.TarInfo) -> Xattrs:
    pairs: dict[bytes, bytes] = {}
    for key, value in member.pax_headers.items():
        if key.startswith(_LIBARCHIVE):
            import base64
            import urllib.parse

            name = urllib.parse.unquote_to_bytes(key[len(_LIBARCHIVE) :])
            pairs.setdefault(name, base64.b64decode(value + "=" * (-len(value) % 4)))
        elif key.startswith(_SCHILY):
            name = key[len(_SCHILY) :].encode("utf-8", "surrogateescape")
            pairs[name] = value.encode("utf-8", "surrogateescape")
        elif key == _SELINUX:
            # What tar --selinux writes; the general spelling goes first.
            pairs.setdefault(b"security.selinux", value.encode("utf-8", "surrogateescape"))
    try:
        return canonical_xattrs(pairs.items())
    except ObjectFormatError as exc:
        raise ArchiveError(f"Damaged tar archive in {member.name}: {exc.message}") from exc


# -- cpio


class _CpioHeader(NamedTuple):
    inode: tuple[int, int]
    mode: int
    uid: int
    gid: int
    links: int
    mtime: int
    size: int
    name_size: int


def _read_newc(reader: ArchiveReader) -> Iterator[ArchiveEntry]:
    """Read the "new" ASCII kind: fields of 8 hexadecimal digits, everything padded to 4."""

    def header() -> _CpioHeader:
        raw = reader.read_exactly(110)
        fields = _numbers(raw[6:], 8, 16)
        if raw[:6] not in _NEWC_MAGICS or len(fields) != 13:
            raise ArchiveError("Damaged cpio archive")
        inode, mode, uid, gid, links, mtime, size, major, minor, _, _, name_size, _ = fields
        device = (major << 32 | minor, inode)
        return _CpioHeader(device, mode, uid, gid, links, mtime, size, name_size)

    yield from _read_cpio(reader, header, fixed_bytes=110, alignment=4)


def _read_odc(reader: ArchiveReader) -> Iterator[ArchiveEntry]:
    """Read the "old" ASCII kind: octal fields, no padding."""

    def header() -> _CpioHeader:
        raw = reader.read_exactly(76)
        if raw[:6] != _ODC_MAGIC:
            raise ArchiveError("Damaged cpio archive")
        device, inode, mode, uid, gid, links, _ = _numbers(raw[6:48], 6, 8)
        (name_size,), (size,) = _numbers(raw[59:65], 6, 8), _numbers(raw[65:76], 11, 8)
        (mtime,) = _numbers(raw[48:59], 11, 8)
        return _CpioHeader((device, inode), mode, uid, gid, links, mtime, size, name_size)

    yield from _read_cpio(reader, header, fixed_bytes=76, alignment=1)


def _numbers(raw: bytes, width: int, base: int) -> list[int]:
    # int() alone would take signs, spaces, underscores and prefixes.
    if raw.translate(None, _DIGITS):
        raise ArchiveError("Damaged cpio archive")
    try:
        return [int(raw[at : at + width], base) for at in range(0, len(raw), width)]
    except ValueError:
        raise ArchiveError("Damaged cpio archive") from None


def _read_cpio(
    reader: ArchiveReader,
    read_header: Callable[[], _CpioHeader],
    *,
    fixed_bytes: int,
    alignment: int,
) -> Iterator[ArchiveEntry]:
    first_names: dict[tuple[int, int], str] = {}
    while True:
        header = read_header()
        if not 0 < header.name_size <= _MAX_CPIO_NAME_BYTES:
            raise ArchiveError("Damaged cpio archive")
        name = reader.read_exactly(header.name_size)[:-1].decode("utf-8", "surrogateescape")
        reader.read_exactly(-(fixed_bytes + header.name_size) % alignment)
        if name == _TRAILER:
            return
        content = _CpioContent(reader, header.size)
        target = ""
        if stat.S_ISLNK(header.mode):
            if header.size > _MAX_CPIO_NAME_BYTES:
                raise ArchiveError("Damaged cpio archive")
            target = content.read_all().decode("utf-8", "surrogateescape")
        hardlink = None
        if header.links > 1 and stat.S_ISREG(header.mode):
            first = first_names.setdefault(header.inode, name)
            hardlink = first if first != name else None
        yield ArchiveEntry(
            name,
            header.uid,
            header.gid,
            header.mode,
            header.size if stat.S_ISREG(header.mode) else 0,
            target,
            hardlink,
            (),
            header.mtime,
            content.chunks,
        )
        content.skip()
        reader.read_exactly(-header.size % alignment)


class _CpioContent:
    def __init__(self, reader: ArchiveReader, size: int) -> None:
        self._reader = reader
        self._left = size

    def chunks(self) -> Iterator[bytes]:
        while self._left:
            data = self._reader.read(min(self._left, _CHUNK_BYTES))
            if not data:
                raise ArchiveError("Truncated archive")
            self._left -= len(data)
            yield data

    def read_all(self) -> bytes:
        return b"".join(self.chunks())

    def skip(self) -> None:
        for _ in self.chunks():
            pass
