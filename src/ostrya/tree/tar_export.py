# SPDX-License-Identifier: Apache-2.0
"""Commit → tar archive, the same bytes every time.

Entries are as libarchive writes them for libostree, every time stamp is the commit's. Files of
equal content and metadata become hard links to the first of them. Extended attributes are written
too; libostree drops them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.repo import reader
from ostrya.tree.lookup import Directory, File, list_directory
from ostrya.tree.tar_header import (
    BLOCK,
    DIRECTORY,
    FILE,
    HARD_LINK,
    SYMLINK,
    TarHeader,
    encode_entry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.xattrs import Xattrs
    from ostrya.repo.repository import Repository

RECORD_BYTES = 10240
"""What an archive that goes down a pipe is padded to."""


class ByteSink(Protocol):
    """Takes the archive, piece by piece."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""


class ExportOptions(NamedTuple):
    """How a tree becomes an archive.

    Attributes:
        timestamp: Of every entry, seconds since the epoch.
        prefix: Put before every path as it is; mind the slash at its end.
        with_xattrs: Whether extended attributes are written.
        record_bytes: The archive's length becomes a multiple of this.
    """

    timestamp: int
    prefix: str = ""
    with_xattrs: bool = True
    record_bytes: int = BLOCK


def export_tree(
    repo: Repository, directory: Directory, sink: ByteSink, options: ExportOptions
) -> None:
    """Write a directory of a commit, and all that is in it, as a tar archive.

    Raises:
        ObjectNotFound: The commit is not complete.
    """
    _Exporter(repo, directory, sink, options).run()


class _Exporter:
    def __init__(
        self, repo: Repository, root: Directory, sink: ByteSink, options: ExportOptions
    ) -> None:
        self._repo = repo
        self._root = root
        self._sink = sink
        self._options = options
        self._written = 0
        self._names: dict[Checksum, bytes] = {}

    def run(self) -> None:
        self._put_directory(self._root)
        self._put_entries(self._root)
        self._write(bytes(2 * BLOCK))
        self._write(bytes(-self._written % self._options.record_bytes))

    def _put_entries(self, directory: Directory) -> None:
        levels: list[Iterator[Directory | File]] = [list_directory(self._repo, directory)]
        while levels:
            entry = next(levels[-1], None)
            if entry is None:
                levels.pop()
            elif isinstance(entry, Directory):
                self._put_directory(entry)
                levels.append(list_directory(self._repo, entry))
            else:
                self._put_file(entry)

    def _put_directory(self, directory: Directory) -> None:
        meta = reader.load_dirmeta(self._repo, directory.meta)
        name = self._name(directory.path)
        if not name.endswith(b"/"):
            name += b"/"
        self._put_header(TarHeader(name, DIRECTORY, meta.mode, meta.uid, meta.gid), meta.xattrs)

    def _put_file(self, entry: File) -> None:
        name = self._name(entry.path)
        with reader.load_file(self._repo, entry.checksum) as file:
            found = file.header
            header = TarHeader(name, FILE, found.mode, found.uid, found.gid)
            if found.is_symlink:
                target = found.symlink_target.encode()
                self._put_header(header._replace(kind=SYMLINK, link=target), found.xattrs)
            elif entry.checksum in self._names:
                first = self._names[entry.checksum]
                # The first one carries the attributes for all.
                self._put_header(header._replace(kind=HARD_LINK, link=first), ())
            else:
                self._names[entry.checksum] = name
                self._put_header(header._replace(size=file.size), found.xattrs)
                for chunk in reader.content_chunks(self._repo, entry.checksum, file):
                    self._write(chunk)
                self._write(bytes(-file.size % BLOCK))

    def _name(self, path: str) -> bytes:
        below = path.removeprefix(self._root.path).lstrip("/")
        return (self._options.prefix + below or ".").encode("utf-8", "surrogateescape")

    def _put_header(self, header: TarHeader, xattrs: Xattrs) -> None:
        kept = xattrs if self._options.with_xattrs else ()
        self._write(encode_entry(header, self._options.timestamp, kept))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._written += len(data)
