# SPDX-License-Identifier: Apache-2.0
"""The entries of an archive, whatever its kind: tar and cpio, compressed or not.

Archives are read once, from front to back, so they may come through a pipe.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import stat
import tarfile
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from ostrya.errors import FormatError
from ostrya.formats.xattrs import Xattrs, canonical_xattrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK_BYTES = 1 << 20
_MAX_CPIO_NAME_BYTES = 1 << 16
_NEWC_MAGICS = (b"070701", b"070702")
_ODC_MAGIC = b"070707"
_SCHILY = "SCHILY.xattr."
_LIBARCHIVE = "LIBARCHIVE.xattr."
_TRAILER = "TRAILER!!!"


class ArchiveError(FormatError):
    """An archive is damaged, or of no known kind."""


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
    chunks: Callable[[], Iterator[bytes]]


def read_archive(stream: IO[bytes]) -> Iterator[ArchiveEntry]:
    """Yield the entries of an archive.

    Raises:
        ArchiveError: It is damaged, or of no known kind.
    """
    reader = _Reader(stream)
    plain = _Reader(_Inflated(reader)) if _compression(reader.peek(6)) else reader
    head = plain.peek(512)
    if head[:6] in _NEWC_MAGICS:
        yield from _read_newc(plain)
    elif head[:6] == _ODC_MAGIC:
        yield from _read_odc(plain)
    elif not head or _looks_like_tar(head):
        yield from _read_tar(plain)
    else:
        raise ArchiveError("Unrecognized archive format")


# -- streams


class _Reader:
    """Reads exact amounts from a stream, and can look ahead."""

    def __init__(self, stream: IO[bytes] | _Inflated) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size:
            more = self._stream.read(size - len(self._ahead))
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = _CHUNK_BYTES
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._stream.read(size)

    def read_exactly(self, size: int) -> bytes:
        parts = []
        missing = size
        while missing:
            data = self.read(min(missing, _CHUNK_BYTES))
            if not data:
                raise ArchiveError("Truncated archive")
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)


def _compression(head: bytes) -> str:
    for magic, name in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x5d\0\0", "lzma"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ):
        if head.startswith(magic):
            return name
    return ""


class _Inflated:
    """A compressed stream, inflated as it is read; concatenated streams count as one."""

    def __init__(self, source: _Reader) -> None:
        self._source = source
        self._kind = _compression(source.peek(6))
        self._inflate = self._new()
        self._rest = b""
        self._at_end = False

    def _new(self) -> _Inflater:
        if self._kind == "gzip":
            return _Gunzip()
        if self._kind == "bzip2":
            return bz2.BZ2Decompressor()
        if self._kind == "zstd":
            return _new_zstd()
        return lzma.LZMADecompressor()

    def read(self, size: int) -> bytes:
        while not self._at_end:
            if self._inflate.eof:
                self._rest = self._inflate.unused_data or self._source.read(_CHUNK_BYTES)
                # Padding behind the last stream is not a stream.
                if not self._rest.strip(b"\0") or not _compression(self._rest):
                    self._at_end = True
                    break
                self._inflate = self._new()
            elif not self._rest and self._inflate.needs_input:
                self._rest = self._source.read(_CHUNK_BYTES)
                if not self._rest:
                    raise ArchiveError("Truncated archive")
            try:
                data = self._inflate.decompress(self._rest, size)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as exc:
                raise ArchiveError(f"Damaged {self._kind} data in archive: {exc}") from exc
            self._rest = b""
            if data:
                return data
        return b""


class _Gunzip:
    """zlib's decompressor with the manners of bz2's."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflater.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


_Inflater = _Gunzip | bz2.BZ2Decompressor | lzma.LZMADecompressor


def _new_zstd() -> _Inflater:
    try:
        zstd = importlib.import_module("backports.zstd")
    except ImportError:
        raise ArchiveError(
            "Reading zstd archives needs the package backports.zstd",
            hint="pip install backports.zstd, or pipe through zstd -d",
        ) from None
    inflater: _Inflater = zstd.ZstdDecompressor()
    return inflater


# -- tar


def _looks_like_tar(head: bytes) -> bool:
    if head[257:262] == b"ustar" or not head.strip(b"\0"):
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _read_tar(reader: _Reader) -> Iterator[ArchiveEntry]:
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", reader),
            mode="r|",
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            for member in archive:
                yield _tar_entry(archive, member)
    except tarfile.ReadError as exc:
        raise ArchiveError(f"Damaged tar archive: {exc}") from exc


def _tar_entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> ArchiveEntry:
    hardlink = member.linkname if member.islnk() else None
    return ArchiveEntry(
        member.name,
        member.uid,
        member.gid,
        _tar_type(member) | stat.S_IMODE(member.mode),
        member.size if member.isreg() or member.islnk() else 0,
        member.linkname if member.issym() else "",
        hardlink,
        _tar_xattrs(member),
        lambda: _tar_chunks(archive, member),
    )


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


def _tar_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    if member.islnk() and not member.size:
        return
    stream = archive.extractfile(member)
    if stream is None:
        return
    left = member.size
    while left:
        data = stream.read(min(left, _CHUNK_BYTES))
        if not data:
            raise ArchiveError(f"Truncated archive in {member.name}")
        left -= len(data)
        yield data


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
    return canonical_xattrs(pairs.items())


# -- cpio


class _CpioHeader(NamedTuple):
    inode: tuple[int, int]
    mode: int
    uid: int
    gid: int
    links: int
    size: int
    name_size: int


def _read_newc(reader: _Reader) -> Iterator[ArchiveEntry]:
    """Read the "new" ASCII kind: fields of 8 hexadecimal digits, everything padded to 4."""

    def header() -> _CpioHeader:
        raw = reader.read_exactly(110)
        fields = _numbers(raw[6:], 8, 16)
        if raw[:6] not in _NEWC_MAGICS or len(fields) != 13:
            raise ArchiveError("Damaged cpio archive")
        inode, mode, uid, gid, links, _, size, major, minor, _, _, name_size, _ = fields
        return _CpioHeader((major << 32 | minor, inode), mode, uid, gid, links, size, name_size)

    yield from _read_cpio(reader, header, fixed_bytes=110, alignment=4)


def _read_odc(reader: _Reader) -> Iterator[ArchiveEntry]:
    """Read the "old" ASCII kind: octal fields, no padding."""

    def header() -> _CpioHeader:
        raw = reader.read_exactly(76)
        if raw[:6] != _ODC_MAGIC:
            raise ArchiveError("Damaged cpio archive")
        device, inode, mode, uid, gid, links, _ = _numbers(raw[6:48], 6, 8)
        name_size, size = int(raw[59:65], 8), int(raw[65:76], 8)
        return _CpioHeader((device, inode), mode, uid, gid, links, size, name_size)

    yield from _read_cpio(reader, header, fixed_bytes=76, alignment=1)


def _numbers(raw: bytes, width: int, base: int) -> list[int]:
    try:
        return [int(raw[at : at + width], base) for at in range(0, len(raw), width)]
    except ValueError:
        raise ArchiveError("Damaged cpio archive") from None


def _read_cpio(
    reader: _Reader, read_header: Callable[[], _CpioHeader], *, fixed_bytes: int, alignment: int
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
            content.chunks,
        )
        content.skip()
        reader.read_exactly(-header.size % alignment)


class _CpioContent:
    def __init__(self, reader: _Reader, size: int) -> None:
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
