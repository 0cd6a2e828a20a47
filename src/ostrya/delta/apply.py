# SPDX-License-Identifier: Apache-2.0
"""Applying a part: its operations, run into a repository.

::

    payload of the part ──┐
                          ├─> operations ──> pieces of content ──> writer: hashed, stored
    objects that are here ┘

An object is stored only if it is the one that the part's header names, so a part that is wrong
leaves nothing wrong behind. One that is here already is passed over, its sources unread.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya.delta.bspatch import patched_chunks
from ostrya.delta.byte_source import FileSource, read_range
from ostrya.delta.errors import DeltaRefused
from ostrya.errors import FormatError, IntegrityError
from ostrya.formats.checksum import RAW_LENGTH, Checksum, from_raw
from ostrya.formats.delta_operations import (
    Close,
    Open,
    Patch,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    UnsetReadSource,
    Write,
    decode_operations,
)
from ostrya.formats.delta_part import decode_xattr_set
from ostrya.formats.delta_superblock import PART_VERSION
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.file_header import FileHeader, check_file_mode
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ChecksumMismatch
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import MAX_METADATA_BYTES, has_object, load_file
from ostrya.repo.stores.bare import check_user_only_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.delta.byte_source import ByteSource
    from ostrya.delta.part_reader import Payload
    from ostrya.formats.delta_operations import Operation
    from ostrya.formats.delta_superblock import PartHeader, Superblock
    from ostrya.repo.repository import Repository
    from ostrya.repo.writer import ObjectWriter

# Content that is larger is never whole in memory.
_WHOLE_BYTES = 1 << 20
# Longer than any path can be.
_MAX_TARGET_BYTES = 64 * 1024
_DECODERS: dict[ObjectType, Callable[[bytes], object]] = {
    ObjectType.DIR_TREE: DirTree.decode,
    ObjectType.DIR_META: DirMeta.decode,
}


def check_commit(block: Superblock) -> None:
    """Refuse a superblock whose commit is not the one that it says it makes.

    Raises:
        ChecksumMismatch: It is another one.
    """
    actual = Checksum(sha256(block.commit_data).hexdigest())
    if actual != block.to:
        raise ChecksumMismatch(ObjectName(block.to, ObjectType.COMMIT), actual)


def check_part_version(header: PartHeader) -> None:
    """Refuse a part of a later version of the format.

    Raises:
        DeltaRefused: It is one.
    """
    if header.version > PART_VERSION:
        raise DeltaRefused(f"Delta part has too new version {header.version}")


def has_all_objects(repo: Repository, header: PartHeader) -> bool:
    """Say whether everything that a part makes is here already.

    Raises:
        DeltaFormatError: It makes what no delta may make.
    """
    return all(has_object(repo, name) for name in header.object_names())


class PartApplier:
    """Runs parts into a repository, one after the other."""

    __slots__ = ("_check_modes", "_commit", "_repo", "_writer")

    def __init__(
        self,
        repo: Repository,
        writer: ObjectWriter,
        commit: Checksum,
        *,
        check_user_only_modes: bool = False,
    ) -> None:
        """Prepare.

        Args:
            repo: Whose objects are read; its transaction is the writer's.
            writer: Stores what is made.
            commit: What the delta leads to, stored by the caller: parts may not make another.
            check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
        """
        self._repo = repo
        self._writer = writer
        self._commit = commit
        self._check_modes = check_user_only_modes or repo.mode == RepoMode.BARE_USER_ONLY

    def run(self, header: PartHeader, payload: Payload) -> None:
        """Make the objects of a part.

        Raises:
            DeltaFormatError: The part makes no sense.
            ChecksumMismatch: What it makes is not what its header says.
            ObjectNotFound: It reads what is not here.
            LowSpace: The repository would be left with too little free space.
        """
        if not header.objects:
            return
        run = _Run(self._repo, payload, header)
        try:
            for operation in run.operations:
                self._step(run, operation)
        finally:
            run.unset_source()

    def _step(self, run: _Run, operation: Operation) -> None:
        try:
            if isinstance(operation, SpliceMetadata):
                self._splice_metadata(run, operation)
            elif isinstance(operation, SpliceFile):
                self._splice_file(run, operation)
            elif isinstance(operation, Open):
                self._make_file(run, operation)
            elif isinstance(operation, SetReadSource):
                run.set_source(operation)
            elif isinstance(operation, (UnsetReadSource, Close)):
                run.unset_source()
            else:
                raise DeltaFormatError("no file is open")
        except (FormatError, IntegrityError) as exc:
            exc.put_first(f"opcode {_WORDS[type(operation)]}")
            raise

    def _splice_metadata(self, run: _Run, splice: SpliceMetadata) -> None:
        run.require_range(splice.offset, splice.size)
        name = splice.name
        if name.type == ObjectType.COMMIT:
            # The superblock has it, and who vouches for it.
            if name.checksum != self._commit:
                raise DeltaFormatError(f"Commit {name.checksum} is not what the delta leads to")
            return
        if splice.size > MAX_METADATA_BYTES:
            raise DeltaFormatError(f"{name} is larger than {MAX_METADATA_BYTES >> 20} MiB")
        if has_object(self._repo, name):
            return
        data = b"".join(run.data(splice.offset, splice.size))
        try:
            _DECODERS[name.type](data)
        except FormatError as exc:
            exc.put_first(str(name))
            raise
        self._writer.write_metadata(name.type, data, name.checksum)

    def _splice_file(self, run: _Run, splice: SpliceFile) -> None:
        run.require_range(splice.offset, splice.size)
        header = run.file_header(splice)
        if has_object(self._repo, splice.name):
            return
        if header.is_symlink:
            self._writer.write_symlink(_with_target(header, run, splice), splice.name.checksum)
            return
        self._write(splice, header, run.data(splice.offset, splice.size))

    def _make_file(self, run: _Run, opened: Open) -> None:
        header = run.file_header(opened)
        if header.is_symlink:
            raise DeltaFormatError(f"{opened.name} is a symbolic link")
        if has_object(self._repo, opened.name):
            run.skip_content()
        else:
            self._write(opened, header, run.content(opened.size))

    def _write(self, made: SpliceFile | Open, header: FileHeader, chunks: Iterator[bytes]) -> None:
        if self._check_modes:
            check_user_only_mode(header.mode, made.name.checksum)
        self._writer.write_stream(
            header, made.size, chunks, made.name.checksum, whole_bytes=_WHOLE_BYTES
        )


_WORDS: dict[type, str] = {
    SpliceMetadata: "open-splice-and-close",
    SpliceFile: "open-splice-and-close",
    Open: "open",
    Write: "write",
    SetReadSource: "set-read-source",
    UnsetReadSource: "unset-read-source",
    Close: "close",
    Patch: "bspatch",
}


class _Run:
    """One part on its way: its tables, its operations, and what is read from."""

    def __init__(self, repo: Repository, payload: Payload, header: PartHeader) -> None:
        tables = payload.tables()
        self._repo = repo
        self._tables = tables
        self._payload = payload.source
        self._source: _ReadSource | None = None
        self.operations = decode_operations(tables.operations, header)

    # -- tables and data

    def file_header(self, made: SpliceFile | Open) -> FileHeader:
        tables = self._tables
        if made.mode >= len(tables.modes) or made.xattrs >= len(tables.xattrs):
            raise DeltaFormatError(f"{made.name} has a mode or xattrs beyond the part's tables")
        owner = tables.modes[made.mode]
        check_file_mode(owner.mode)
        xattrs = decode_xattr_set(tables.xattrs[made.xattrs])
        return FileHeader(owner.uid, owner.gid, owner.mode, "", xattrs)

    def require_range(self, offset: int, size: int) -> None:
        if offset + size > self._tables.data_size:
            raise DeltaFormatError(f"Invalid offset/length {offset}/{size}")

    def data(self, offset: int, size: int) -> Iterator[bytes]:
        self.require_range(offset, size)
        try:
            yield from read_range(self._payload, self._tables.data_start + offset, size)
        except EOFError as exc:
            raise DeltaFormatError("Invalid delta part: it is cut short") from exc

    # -- sources

    def set_source(self, operation: SetReadSource) -> None:
        self.unset_source()
        checksum = from_raw(b"".join(self.data(operation.offset, RAW_LENGTH)))
        self._source = _ReadSource(self._repo, checksum)

    def unset_source(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    # -- content

    def content(self, size: int) -> Iterator[bytes]:
        """Run the operations that make a file, up to its end."""
        written = 0
        for operation in self.operations:
            if isinstance(operation, Close):
                if written != size:
                    raise DeltaFormatError(f"{written} bytes were written of {size}")
                self.unset_source()
                return
            for chunk in self._pieces(operation, size):
                written += len(chunk)
                if written > size:
                    raise DeltaFormatError(f"more than {size} bytes were written")
                yield chunk
        raise DeltaFormatError("the operations end before the file is whole")

    def _pieces(self, operation: Operation, size: int) -> Iterator[bytes]:
        if isinstance(operation, Write):
            if self._source is None:
                yield from self.data(operation.offset, operation.size)
            else:
                yield from self._source.pieces(operation.offset, operation.size)
        elif isinstance(operation, Patch):
            yield from self._patched(operation, size)
        elif isinstance(operation, SetReadSource):
            self.set_source(operation)
        elif isinstance(operation, UnsetReadSource):
            self.unset_source()
        else:
            raise DeltaFormatError(f"{_WORDS[type(operation)]} before the file is whole")

    def _patched(self, patch: Patch, size: int) -> Iterator[bytes]:
        self.require_range(patch.offset, patch.size)
        if self._source is None:
            raise DeltaFormatError("bspatch without a source")
        start = self._tables.data_start + patch.offset
        return patched_chunks(self._source.source, self._payload, start, patch.size, size)

    def skip_content(self) -> None:
        """Pass over the operations of a file that is here."""
        for operation in self.operations:
            if isinstance(operation, Close):
                self.unset_source()
                return
            if isinstance(operation, (Open, SpliceFile, SpliceMetadata)):
                break
        raise DeltaFormatError("the operations end before the file is whole")


class _ReadSource:
    """The content of an object that is here, by its places."""

    __slots__ = ("_checksum", "_fd", "_file", "source")

    def __init__(self, repo: Repository, checksum: Checksum) -> None:
        self._checksum = checksum
        self._fd = -1
        self._file = load_file(repo, checksum)
        try:
            if self._file.header.is_symlink:
                name = ObjectName(checksum, ObjectType.FILE)
                raise DeltaFormatError(f"{name}, which the part reads, is a symbolic link")
            if not self._file.is_plain:
                # An archive keeps it deflated: once inflated, it can be read by places.
                self._fd = open_spool(repo.tmp_fd)
                for chunk in self._file.chunks():
                    write_all(self._fd, chunk)
        except BaseException:
            self.close()
            raise
        fd = self._file.content_fd if self._fd == -1 else self._fd
        self.source: ByteSource = FileSource(fd, 0, os.fstat(fd).st_size)

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        try:
            yield from read_range(self.source, offset, size)
        except EOFError as exc:
            raise DeltaFormatError(f"Unexpected EOF reading object {self._checksum}") from exc

    def close(self) -> None:
        self._file.close()
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1


def _with_target(header: FileHeader, run: _Run, splice: SpliceFile) -> FileHeader:
    if splice.size > _MAX_TARGET_BYTES:
        raise DeltaFormatError(f"{splice.name} is a symbolic link of {splice.size} bytes")
    raw = b"".join(run.data(splice.offset, splice.size))
    try:
        return header._replace(symlink_target=raw.decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise DeltaFormatError(f"{splice.name} has a target that is not UTF-8") from exc
