# SPDX-License-Identifier: Apache-2.0
"""tarfile within bounds: headers of a hostile archive may not take megabytes, or go backwards."""

from __future__ import annotations

import tarfile
from typing import IO, TYPE_CHECKING, cast

from ostrya.tree.archive_sparse import parse_map, read_blocks_of_map, read_lines_of_map

if TYPE_CHECKING:
    from typing import Self

    from ostrya.tree.archive_stream import ArchiveReader

# In front of one entry; as much as libarchive allows each of them.
_MAX_TAR_HEADER_BYTES = 1 << 20
# A name, a target, attributes and global ones: tarfile reads them one inside the other.
_MAX_HEADERS_OF_ENTRY = 16
# What tarfile raises for headers that are not what they should be.
TAR_ERRORS = (
    tarfile.TarError,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
    EOFError,
    RecursionError,
)
_NAME_TYPES = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class BoundedTarFile(tarfile.TarFile):
    """An archive that counts the headers in front of the one of an entry."""

    extra_headers = 0
    extra_bytes = 0

    @classmethod
    def open_stream(cls, reader: ArchiveReader) -> Self:
        """Open an archive that is read from front to back.

        Raises:
            tarfile.ReadError: The first header is damaged.
        """
        return cls.open(
            fileobj=cast("IO[bytes]", reader),
            mode="r|",
            encoding="utf-8",
            errors="surrogateescape",
            tarinfo=BoundedTarInfo,
        )

    def next_member(self) -> tarfile.TarInfo | None:
        """Read the header of the next entry; None at the end.

        Raises:
            Exception: One of ``TAR_ERRORS``: it is damaged, or would take too much memory.
        """
        # Otherwise it remembers every entry, for looking back.
        self.members.clear()  # type: ignore[attr-defined]  # not in the stubs
        self.extra_headers = self.extra_bytes = 0
        return self.next()


class BoundedTarInfo(tarfile.TarInfo):
    """A header that may not make tarfile read megabytes of names, or go backwards."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Read a header; only zeros or no byte at all are the end of an archive."""
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as exc:  # type: ignore[attr-defined]  # not in the stubs
            # Behind the first entry, tarfile would take these for the end, and say nothing.
            raise tarfile.ReadError(str(exc)) from exc

    def _proc_member(self, archive: BoundedTarFile) -> tarfile.TarInfo:
        if self.size < 0:
            raise tarfile.ReadError("negative size")
        if self.type in _NAME_TYPES:
            archive.extra_headers += 1
            archive.extra_bytes += self.size
            if archive.extra_bytes > _MAX_TAR_HEADER_BYTES:
                raise tarfile.ReadError("extended header is too large")
            if archive.extra_headers > _MAX_HEADERS_OF_ENTRY:
                raise tarfile.ReadError("too many extended headers")
        if self.type == tarfile.XGLTYPE:
            return self._skip_global(archive)
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]  # not in the stubs
        if member.size < 0:
            raise tarfile.ReadError("negative size")
        if member.issparse() and "size" in member.pax_headers:
            # tarfile takes one size for the other, and would lose the next header.
            raise tarfile.ReadError("a sparse file with 8 GiB of data or more")
        return member

    # Three methods of tarfile's, which read maps of any size.

    def _proc_sparse(self, archive: BoundedTarFile) -> tarfile.TarInfo:
        pieces, is_extended, size = self._sparse_structs  # type: ignore[attr-defined]  # not in the stubs
        stream = stream_of(archive)
        if is_extended:
            pieces.extend(read_blocks_of_map(stream.read))
        _set_map(self, pieces)
        self.offset_data = stream.tell()
        archive.offset = self.offset_data + self._block(self.size)  # type: ignore[attr-defined]  # not in the stubs
        self.size = size
        return self

    def _proc_gnusparse_01(self, member: tarfile.TarInfo, pax_headers: dict[str, str]) -> None:
        _set_map(member, parse_map(pax_headers["GNU.sparse.map"]))

    def _proc_gnusparse_10(
        self, member: tarfile.TarInfo, _pax_headers: dict[str, str], archive: tarfile.TarFile
    ) -> None:
        stream = stream_of(archive)
        _set_map(member, read_lines_of_map(stream.read))
        member.offset_data = stream.tell()

    def _skip_global(self, archive: BoundedTarFile) -> tarfile.TarInfo:
        """Return the next entry; nothing of a global header applies to it, as for libarchive."""
        size: int = self._block(self.size)  # type: ignore[attr-defined]  # not in the stubs
        if len(stream_of(archive).read(size)) < size:
            raise tarfile.ReadError("unexpected end of data")
        return self.fromtarfile(archive)


def _set_map(member: tarfile.TarInfo, pieces: list[tuple[int, int]]) -> None:
    member.sparse = pieces  # type: ignore[assignment]  # wrong in the stubs


def stream_of(archive: tarfile.TarFile) -> IO[bytes]:
    """Return what an archive is read from."""
    assert archive.fileobj is not None  # noqa: S101  # it is open
    return cast("IO[bytes]", archive.fileobj)
