# SPDX-License-Identifier: Apache-2.0
"""Commit → tar archive, the same bytes every time.

The format is GNU tar's, field by field as libarchive writes it for libostree: owners as numbers
only, every time stamp the commit's, long names as ``././@LongLink`` entries, numbers too large
for octal in base 256. Files of equal content and metadata become hard links to the first of them.

What GNU tar's own format cannot say, extended attributes, goes before its entry as a POSIX
extended header with ``SCHILY.xattr`` records, which GNU tar and bsdtar both read; libostree drops
them.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.repo import reader
from ostrya.tree.lookup import Directory, File, list_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.xattrs import Xattrs
    from ostrya.repo.repository import Repository

RECORD_BYTES = 10240
"""What an archive that goes down a pipe is padded to."""

_BLOCK = 512
_NAME_BYTES = 100
_GNU_MAGIC = b"ustar  \0"
_POSIX_MAGIC = b"ustar\x0000"
_LONG_NAME = b"././@LongLink"
_FILE, _HARD_LINK, _SYMLINK, _DIRECTORY = b"0", b"1", b"2", b"5"


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
    record_bytes: int = _BLOCK


class _Header(NamedTuple):
    """The fields of one header block that vary."""

    name: bytes
    kind: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    link: bytes = b""


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
        self._write(bytes(2 * _BLOCK))
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
        self._put_header(_Header(name, _DIRECTORY, meta.mode, meta.uid, meta.gid), meta.xattrs)

    def _put_file(self, entry: File) -> None:
        name = self._name(entry.path)
        with reader.load_file(self._repo, entry.checksum) as file:
            found = file.header
            header = _Header(name, _FILE, found.mode, found.uid, found.gid)
            if found.is_symlink:
                target = found.symlink_target.encode()
                self._put_header(header._replace(kind=_SYMLINK, link=target), found.xattrs)
            elif entry.checksum in self._names:
                first = self._names[entry.checksum]
                # The first one carries the attributes for all.
                self._put_header(header._replace(kind=_HARD_LINK, link=first), ())
            else:
                self._names[entry.checksum] = name
                self._put_header(header._replace(size=file.size), found.xattrs)
                for chunk in reader.content_chunks(self._repo, entry.checksum, file):
                    self._write(chunk)
                self._write(bytes(-file.size % _BLOCK))

    def _name(self, path: str) -> bytes:
        below = path.removeprefix(self._root.path).lstrip("/")
        return (self._options.prefix + below or ".").encode("utf-8", "surrogateescape")

    def _put_header(self, header: _Header, xattrs: Xattrs) -> None:
        if xattrs and self._options.with_xattrs:
            self._put_xattrs(header, xattrs)
        for kind, text in ((b"K", header.link), (b"L", header.name)):
            if len(text) > _NAME_BYTES:
                long = _Header(_LONG_NAME, kind, 0, size=len(text) + 1, link=header.link)
                self._write(_encode_header(long, 0, owner=b"root", group=b"wheel"))
                self._write_padded(text + b"\0")
        self._write(_encode_header(header, self._options.timestamp))

    def _put_xattrs(self, header: _Header, xattrs: Xattrs) -> None:
        records = b"".join(_pax_record(b"SCHILY.xattr." + key, value) for key, value in xattrs)
        base = header.name.rstrip(b"/").rpartition(b"/")[2]
        name = (b"PaxHeaders/" + base)[:_NAME_BYTES]
        extended = _Header(name, b"x", 0o644, size=len(records))
        self._write(_encode_header(extended, self._options.timestamp, magic=_POSIX_MAGIC))
        self._write_padded(records)

    def _write_padded(self, data: bytes) -> None:
        self._write(data + bytes(-len(data) % _BLOCK))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._written += len(data)


def _encode_header(
    header: _Header,
    timestamp: int,
    *,
    magic: bytes = _GNU_MAGIC,
    owner: bytes = b"",
    group: bytes = b"",
) -> bytes:
    before = b"".join(
        (
            header.name[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0"),
            _number(stat.S_IMODE(header.mode), 8),
            _number(header.uid, 8),
            _number(header.gid, 8),
            _number(header.size, 12),
            # As libarchive: a time before 1970 is written as 1970.
            _number(max(timestamp, 0), 12),
        )
    )
    after = b"".join(
        (
            header.kind,
            header.link[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0"),
            magic,
            owner.ljust(32, b"\0"),
            group.ljust(32, b"\0"),
        )
    )
    # The checksum is taken as if its own field were blank.
    total = sum(before) + 8 * ord(" ") + sum(after)
    return (before + b"%06o\0 " % total + after).ljust(_BLOCK, b"\0")


def _number(value: int, width: int) -> bytes:
    """Encode in octal with a NUL at the end, or in base 256 with the highest bit set."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value % (1 << 8 * (width - 1)) | 1 << 8 * width - 1).to_bytes(width, "big")


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Encode ``LENGTH KEY=VALUE`` and a newline; the length counts its own digits."""
    body = b" %b=%b\n" % (key, value)
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return b"%d%b" % (length, body)
