# SPDX-License-Identifier: Apache-2.0
"""The treehub: commits for devices, in an OSTree repository of mode archive.

::

    config                              as it is
    objects/ab/cdef….filez              read by devices; written by tools, checked by their names
    refs/heads/NAME                     the checksum of a commit
    delta-indexes/…  deltas/…           static deltas
    summary  summary.sig                where there is one

An object is looked at before it gets its name: what does not hash to it is refused. A commit is
taken only once what it names directly is there, and a ref only once its commit is.

Source: treehub's API, as garage-push and aktualizr use it.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, replace_file, write_all
from ostrya._linux.dirfd import ensure_dir, read_chunks
from ostrya._linux.durability import sync_filesystem
from ostrya.errors import FormatError, OstryaError
from ostrya.fleet.errors import BadRequest, Conflict, NotFound, NotNow
from ostrya.formats.checksum import check_checksum, checksum_of
from ostrya.formats.commit import Commit
from ostrya.formats.commitmeta import decode_commitmeta
from ostrya.formats.delta_name import SUPERBLOCK, parse_delta_name
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path, parse_loose_name
from ostrya.formats.refs import check_ref_name
from ostrya.repo.content_hash import ContentHasher
from ostrya.repo.delta_indexes import MAX_SUPERBLOCK_BYTES, reindex_deltas
from ostrya.repo.detached import write_detached_bytes
from ostrya.repo.errors import RefNotFound
from ostrya.repo.packed import verify_content, write_packed
from ostrya.repo.reader import MAX_METADATA_BYTES, has_object, load_commit
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import resolve_ref
from ostrya.repo.stores.archive import open_archive_body
from ostrya.repo.writer import ObjectWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_OBJECT = re.compile(r"objects/([0-9a-f]{2})/([0-9a-f]{62}\.[a-z]+)")
_DELTA = re.compile(
    r"(?:delta-indexes/[A-Za-z0-9+_=-]{2}/[A-Za-z0-9+_=-]{1,64}\.index"
    r"|deltas/[A-Za-z0-9+_=-]{2}/[A-Za-z0-9+_=-]{1,128}/(?:superblock|[0-9]{1,6}|meta))"
)
_PLAIN = frozenset({"config", "summary", "summary.sig"})
_KINDS = {
    ObjectType.COMMIT: Commit.decode,
    ObjectType.DIR_TREE: DirTree.decode,
    ObjectType.DIR_META: DirMeta.decode,
}
_MEMORY_BYTES = 1024 * 1024


class Treehub:
    """An open repository of commits; used from many threads.

    Attributes:
        repo: The repository.
    """

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self._local = threading.local()
        self._mutex = threading.Lock()
        self._refs = threading.Lock()

    def close(self) -> None:
        """Close it."""
        self.repo.close()

    # --------------------------------------------------------------------------- reading

    def open(self, path: str) -> int:
        """Open a file that clients may read; the caller closes it.

        Raises:
            NotFound: There is none.
        """
        known = path in _PLAIN or _DELTA.fullmatch(path) or _OBJECT.fullmatch(path)
        if known or path.startswith("refs/heads/"):
            if path.startswith("refs/heads/"):
                _check_ref(path.removeprefix("refs/heads/"))
            try:
                return os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.repo.dir_fd)
            except (FileNotFoundError, NotADirectoryError):
                pass
        raise NotFound(f"the treehub has no {path[:200]}", code="missing_entity")

    def has(self, path: str) -> bool:
        """Say whether there is an object at a path."""
        return has_object(self.repo, _object_name(path))

    # --------------------------------------------------------------------------- writing

    def spool(self) -> Spool:
        """Return where the bytes of an object gather until it is whole."""
        return Spool(self.repo.tmp_fd)

    def put(self, path: str, spool: Spool, *, replace: bool) -> None:
        """Take an object, if it is what its name says.

        Args:
            path: Of the object, below the treehub.
            spool: Its bytes.
            replace: Whether one that is there may be put again.

        Raises:
            Conflict: It is there already.
            BadRequest: It is not what its name says.
            NotNow: It is a commit, and what it names is not there.
        """
        name = _object_name(path)
        if has_object(self.repo, name) and not replace:
            raise Conflict(f"{path} is there already", code="object_exists")
        try:
            with self._sharing():
                self._put(name, spool)
        except FormatError as exc:
            raise BadRequest(f"{path}: {exc.message}", code="invalid_object") from exc
        except OstryaError as exc:
            if isinstance(exc, (BadRequest, NotNow)):
                raise
            raise BadRequest(f"{path}: {exc.message}", code="invalid_object") from exc

    def _put(self, name: ObjectName, spool: Spool) -> None:
        if name.type == ObjectType.FILE:
            with open_archive_body(name.checksum, *spool.lend()) as loaded:
                verify_content(ContentHasher(), name.checksum, loaded)
            write_packed(self._writer(), name.checksum, spool.pieces())
            return
        data = spool.whole(MAX_METADATA_BYTES)
        if name.type == ObjectType.COMMIT_META:
            decode_commitmeta(data)
            write_detached_bytes(self.repo, name.checksum, data)
            return
        _KINDS[name.type](data)
        if checksum_of(data) != name.checksum:
            raise BadRequest(
                f"what was sent hashes to {checksum_of(data)}, not to {name.checksum}",
                code="checksum_mismatch",
            )
        if name.type == ObjectType.COMMIT:
            self._check_names(Commit.decode(data))
            sync_filesystem(self.repo.objects_fd)
        self._writer().write_metadata(name.type, data, name.checksum)

    def _check_names(self, commit: Commit) -> None:
        for checksum, kind in (
            (commit.root_contents, ObjectType.DIR_TREE),
            (commit.root_metadata, ObjectType.DIR_META),
        ):
            if not has_object(self.repo, ObjectName(checksum, kind)):
                raise NotNow(
                    f"the commit names {checksum}, which is not there",
                    code="missing_object",
                    hint="what a commit holds is pushed before it",
                )

    def put_delta(self, path: str, spool: Spool) -> None:
        """Take a part of a static delta; clients check it by the commit that it makes.

        With its superblock a delta is there, and is put into the index of those that lead to its
        commit: devices pull by the names of commits, and find deltas by their indexes alone.

        Raises:
            NotFound: It is none.
            BadRequest: It is larger than any.
        """
        if not _DELTA.fullmatch(path):
            raise NotFound(f"{path[:200]} is no part of a static delta")
        data = spool.whole(MAX_SUPERBLOCK_BYTES)
        folder, file = os.path.split(path)
        ensure_dir(folder.partition("/")[0], dir_fd=self.repo.dir_fd)
        parts = folder.split("/")
        for depth in range(2, len(parts) + 1):
            ensure_dir("/".join(parts[:depth]), dir_fd=self.repo.dir_fd)
        replace_file(path, data, dir_fd=self.repo.dir_fd)
        name = parse_delta_name("".join(parts[1:])) if file == SUPERBLOCK else None
        if name is not None:
            with self._mutex:
                reindex_deltas(self.repo, name.to)

    def read_ref(self, ref: str) -> Checksum:
        """Return the commit that a ref points to.

        Raises:
            NotFound: There is no such ref.
        """
        _check_ref(ref)
        try:
            found = resolve_ref(self.repo, None, ref, allow_noent=True, search_remotes=False)
        except RefNotFound:
            found = None
        if found is None:
            raise NotFound(f"there is no ref {ref[:200]}", code="missing_entity")
        return found

    def write_ref(self, ref: str, data: bytes, *, force: bool) -> None:
        """Let a ref point to a commit.

        Args:
            ref: Its name.
            data: The checksum of the commit, as text.
            force: Whether commits may be lost by that.

        Raises:
            BadRequest: It is no checksum.
            NotNow: There is no such commit.
            Conflict: Commits would be lost.
        """
        _check_ref(ref)
        try:
            checksum = check_checksum(data.decode("ascii", "replace").strip().strip('"'))
        except FormatError as exc:
            raise BadRequest(exc.message, code="invalid_commit") from exc
        with self._refs:
            if not has_object(self.repo, ObjectName(checksum, ObjectType.COMMIT)):
                raise NotNow(f"there is no commit {checksum}", code="commit_missing")
            before = resolve_ref(self.repo, None, ref, allow_noent=True, search_remotes=False)
            if before == checksum:
                return
            if before is not None and not force and not self._follows(checksum, before):
                raise Conflict(
                    f"{ref} points to {before}, which {checksum} does not come after",
                    code="not_fast_forward",
                    hint="the header x-ats-ostree-force: true lets it lose commits",
                )
            sync_filesystem(self.repo.objects_fd)
            try:
                write_ref(self.repo, None, ref, checksum)
            except OstryaError as exc:
                raise Conflict(exc.message) from exc

    def _follows(self, checksum: Checksum, before: Checksum) -> bool:
        """Say whether a commit has another one among its ancestors."""
        at: Checksum | None = checksum
        for _ in range(10_000):
            if at is None or not has_object(self.repo, ObjectName(at, ObjectType.COMMIT)):
                return False
            if at == before:
                return True
            at = load_commit(self.repo, at).parent
        return False

    def _writer(self) -> ObjectWriter:
        writer: ObjectWriter | None = getattr(self._local, "writer", None)
        if writer is None:
            writer = ObjectWriter(
                self.repo, self.repo.objects_fd, sync_each=False, with_sizes=False
            )
            self._local.writer = writer
        return writer

    @contextmanager
    def _sharing(self) -> Iterator[None]:
        """Keep whoever deletes objects away."""
        with self._mutex:
            self.repo.lock.push(exclusive=False)
        try:
            yield
        finally:
            with self._mutex:
                self.repo.lock.pop(exclusive=False)


class Spool:
    """Bytes that come in pieces: few in memory, many in a file without a name.

    Attributes:
        size: How many there are.
    """

    def __init__(self, dir_fd: int) -> None:
        self._dir_fd = dir_fd
        self._parts: list[bytes] = []
        self._fd = -1
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take more of them."""
        self.size += len(data)
        if self._fd == -1 and self.size > _MEMORY_BYTES:
            self._fd = open_spool(self._dir_fd)
            for part in self._parts:
                write_all(self._fd, part)
            self._parts.clear()
        if self._fd == -1:
            self._parts.append(data)
        else:
            write_all(self._fd, data)

    def lend(self) -> tuple[bytes, int]:
        """Return all of them, or a file of its own that holds them, and else -1."""
        if self._fd == -1:
            return b"".join(self._parts), -1
        return b"", os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)

    def whole(self, most: int) -> bytes:
        """Return all of them.

        Raises:
            BadRequest: There are more than may be.
        """
        if self.size > most:
            raise BadRequest(f"there are {self.size} bytes, more than {most}")
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Yield all of them."""
        if self._fd == -1:
            yield from self._parts
        else:
            yield from read_chunks(self._fd)

    def close(self) -> None:
        """Forget them."""
        self._parts.clear()
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1


def _object_name(path: str) -> ObjectName:
    found = _OBJECT.fullmatch(path)
    name = parse_loose_name(found[1], found[2]) if found else None
    if name is None or name.type not in {*_KINDS, ObjectType.FILE, ObjectType.COMMIT_META}:
        raise NotFound(f"{path[:200]} names no object", code="missing_entity")
    if loose_path(name, archive=True) != path.removeprefix("objects/"):
        raise NotFound(f"{path[:200]} names no object of an archive", code="missing_entity")
    return name


def _check_ref(ref: str) -> None:
    try:
        check_ref_name(ref)
    except OstryaError as exc:
        raise NotFound(f"{ref[:200]!r} is no name of a ref", code="missing_entity") from exc
