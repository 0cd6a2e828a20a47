# SPDX-License-Identifier: Apache-2.0
"""A directory on the disk into a MutableTree: walked here, read and hashed by workers.

The calling process walks the directories and decides, by the ``CommitModifier``, what each file
is to be; batches of files go to workers, which read, hash and store them. The walk follows no
links, and holds one directory open at a time.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux import xattr
from ostrya._linux.dirfd import OPEN_DIR, open_dir_below
from ostrya._linux.naming import name_below, name_error
from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.errors import printable
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_file
from ostrya.tree.consume import ConsumedDirectory
from ostrya.tree.errors import UnsupportedFile
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.rules import CommitRules
from ostrya.tree.scan_worker import FileTask, make_scan_worker
from ostrya.tree.worker_results import gather
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.repo.transaction import Transaction
    from ostrya.tree.mutable_tree import MutableTree

_BATCH_FILES = 96
_BATCH_BYTES = 4 << 20


class _Pending(NamedTuple):
    """A batch under way: where its results belong."""

    places: list[tuple[MutableTree, str, str]]


def write_directory(  # noqa: PLR0913  # options by keyword
    tx: Transaction,
    path: str,
    tree: MutableTree,
    modifier: CommitModifier | None = None,
    *,
    dir_fd: int | None = None,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> None:
    """Store a directory's files, and overlay its entries on a tree.

    Args:
        tx: Where objects are written.
        path: The directory.
        tree: What its entries are put into.
        modifier: What to change on the way; nothing if None.
        dir_fd: What ``path`` is relative to; the current directory if None.
        jobs: How many workers at most; one per processor if None.
        progress: Told about files and bytes.

    Raises:
        UnsupportedFile: The tree holds a device, socket or pipe.
        ObjectFormatError: A name or link target is not UTF-8.
        ChangedWhileRead: A file changed while it was being read.
        TreeConflict: A file meets a directory of the same name in ``tree``.
        OSError: Something cannot be read, or not be written.
    """
    modifier = modifier or CommitModifier()
    try:
        root_fd = os.open(path, OPEN_DIR | os.O_NOFOLLOW, dir_fd=dir_fd)
    except OSError as exc:
        name_error(exc, path)
        raise
    try:
        scan = _Scan(tx, root_fd, path, modifier, progress)
        if modifier.consume:
            scan.consumed = ConsumedDirectory(path, dir_fd)
            modifier.consumed.append(scan.consumed)
        scan.run(tree, jobs)
    finally:
        os.close(root_fd)


class _Scan:
    def __init__(
        self,
        tx: Transaction,
        root_fd: int,
        path: str,
        modifier: CommitModifier,
        progress: ProgressSink,
    ) -> None:
        self._tx = tx
        self._path = path
        self._repo = tx.repo
        self._root_fd = root_fd
        self._modifier = modifier
        self._progress = progress
        self._rules = CommitRules(tx, modifier)
        self._pending: dict[int, _Pending] = {}
        self.consumed: ConsumedDirectory | None = None
        self._device = os.fstat(self._repo.dir_fd).st_dev

    def run(self, tree: MutableTree, jobs: int | None) -> None:
        progress = self._progress
        progress.send(Started("scanning", None, Unit.ITEMS))
        factory = make_scan_worker(
            self._tx, self._root_fd, self._path, skip_xattrs=self._rules.skip_xattrs
        )
        done = 0
        for number, checksums, told in map_batches(factory, self._batches(tree), jobs=jobs):
            for (place, name, relative), checksum in zip(
                self._pending.pop(number).places, checksums, strict=True
            ):
                try:
                    place.replace_file(name, Checksum(checksum))
                except FormatError as exc:
                    exc.put_first(printable(self._path_of(relative)))
                    raise
            gather(self._tx, told)
            done += len(checksums)
            progress.send(Advanced("scanning", done))
        progress.send(Finished("scanning", done))

    # -- walking

    def _batches(self, tree: MutableTree) -> Iterator[tuple[int, list[FileTask]]]:
        number = 0
        tasks: list[FileTask] = []
        places: list[tuple[MutableTree, str, str]] = []
        size = 0
        for place, name, task in self._walk(tree):
            tasks.append(task)
            places.append((place, name, task[0]))
            size += task[6]
            if len(tasks) >= _BATCH_FILES or size >= _BATCH_BYTES:
                self._pending[number] = _Pending(places)
                yield number, tasks
                number, tasks, places, size = number + 1, [], [], 0
        if tasks:
            self._pending[number] = _Pending(places)
            yield number, tasks

    def _walk(self, tree: MutableTree) -> Iterator[tuple[MutableTree, str, FileTask]]:
        stack = [("", tree)]
        while stack:
            relative, place = stack.pop()
            subdirs: list[tuple[str, MutableTree]] = []
            try:
                yield from self._walk_one(relative, place, subdirs)
            except OSError as exc:
                name_below(exc, self._path_of(relative))
                raise
            except FormatError as exc:
                exc.put_first(printable(self._path_of(relative)))
                raise
            stack.extend(reversed(subdirs))

    def _walk_one(
        self, relative: str, place: MutableTree, subdirs: list[tuple[str, MutableTree]]
    ) -> Iterator[tuple[MutableTree, str, FileTask]]:
        """Yield the files of one directory, and add its subdirectories to a list."""
        try:
            fd = open_dir_below(self._root_fd, relative)
        except OSError as exc:
            name_below(exc, self._path)
            raise
        try:
            if not self._take_directory(fd, relative, place):
                return
            if self.consumed is not None:
                self.consumed.add_directory(relative)
            with os.scandir(fd) as scan:
                entries = list(scan)
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    child = self._take_subdirectory(relative, entry.name, found, place)
                    if child is not None:
                        subdirs.append(child)
                    elif self.consumed is not None:
                        self.consumed.add_left_out(relative, entry.name)
                    continue
                task = self._take_file(fd, relative, entry.name, found, place)
                if self.consumed is not None:
                    self.consumed.add_file(relative, entry.name, found)
                if task is not None:
                    yield place, entry.name, task
        finally:
            os.close(fd)

    def _path_of(self, relative: str) -> str:
        return os.path.join(self._path, relative) if relative else self._path

    def _take_directory(self, fd: int, relative: str, place: MutableTree) -> bool:
        """Write the dirmeta of a directory; False if it is to be left out."""
        found = os.fstat(fd)
        path = "/" + relative
        info = self._rules.info(path, FileInfo(found.st_uid, found.st_gid, found.st_mode))
        if info is None:
            return False
        present: Xattrs = ()
        if not self._rules.skip_xattrs:
            pairs = xattr.read_xattrs(fd)
            present = canonical_xattrs(pairs) if pairs else ()
        xattrs = self._rules.xattrs(path, info, present)
        place.set_metadata_checksum(self._rules.write_dirmeta(DirMeta(*info, xattrs)))
        return True

    def _take_subdirectory(
        self, relative: str, name: str, found: os.stat_result, place: MutableTree
    ) -> tuple[str, MutableTree] | None:
        child_path = f"{relative}/{name}" if relative else name
        info = FileInfo(found.st_uid, found.st_gid, found.st_mode)
        if self._rules.info("/" + child_path, info) is None:
            return None
        return child_path, place.ensure_dir(name)

    def _take_file(
        self, fd: int, relative: str, name: str, found: os.stat_result, place: MutableTree
    ) -> FileTask | None:
        """Return what a worker has to do for a file, None if there is nothing to do."""
        path = f"/{relative}/{name}" if relative else f"/{name}"
        info = FileInfo(found.st_uid, found.st_gid, found.st_mode)
        known = None
        if self._modifier.devino is not None:
            known = self._modifier.devino.get(found.st_dev, found.st_ino)
            if known is not None and self._modifier.devino_canonical:
                self._note_hit(place, name, known)
                return None
        xattrs: Xattrs | None = None
        if known is not None and self._repo.mode == RepoMode.BARE_USER:
            # On the disk such a file looks like its owner's; the object knows better.
            with load_file(self._repo, known) as loaded:
                info = FileInfo(*loaded.header[:3])
                xattrs = () if self._rules.skip_xattrs else loaded.header.xattrs
        changed = self._rules.info(path, info)
        if changed is None:
            return None
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            raise UnsupportedFile(os.path.join(self._path_of(relative), name))
        if self._rules.decides_xattrs:
            xattrs = self._rules.xattrs(path, changed, self._xattrs_of(fd, name, xattrs))
        elif known is not None and changed == info and self._keeps_xattrs(fd, name, xattrs):
            self._note_hit(place, name, known)
            return None
        return (
            relative,
            name,
            *changed,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            xattrs,
            self._can_adopt(found, unchanged=changed == info, decided=xattrs is not None),
        )

    def _can_adopt(self, found: os.stat_result, *, unchanged: bool, decided: bool) -> bool:
        """Say whether a file may become its object by a hard link, instead of a copy."""
        if not self._modifier.consume or not stat.S_ISREG(found.st_mode) or decided:
            return False
        if found.st_dev != self._device or found.st_nlink > 2:
            return False
        if self._repo.mode == RepoMode.BARE:
            return unchanged and not self._skip_xattrs_unsafe()
        return self._repo.mode == RepoMode.BARE_USER_ONLY

    def _skip_xattrs_unsafe(self) -> bool:
        """Xattrs that the object must not have would stay on the file."""
        return self._rules.skip_xattrs and not self._repo.config.disable_xattrs

    def _note_hit(self, place: MutableTree, name: str, known: Checksum) -> None:
        place.replace_file(name, known)
        self._tx.counts.devino_cache_hits += 1

    def _keeps_xattrs(self, fd: int, name: str, from_object: Xattrs | None) -> bool:
        """Say whether leaving out xattrs, if that is wanted, leaves out nothing."""
        if not self._rules.skip_xattrs or self._repo.config.disable_xattrs:
            return True
        if from_object is not None:
            return not from_object
        return not xattr.read_xattrs_at(name, dir_fd=fd)

    def _xattrs_of(self, fd: int, name: str, known: Xattrs | None) -> Xattrs:
        if known is not None or self._rules.skip_xattrs:
            return known or ()
        return canonical_xattrs(xattr.read_xattrs_at(name, dir_fd=fd))
