# SPDX-License-Identifier: Apache-2.0
"""A commit into a directory: directories made here, files placed by workers.

Directories are made with mode 0700, and get their owner, mode and time only when everything in
them is in place, so that nobody else can reach into a tree under construction.
"""

from __future__ import annotations

import os
import stat
from errno import EEXIST
from typing import TYPE_CHECKING

from ostrya._linux import dirfd
from ostrya._linux.naming import Below, name_error
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_dirmeta, load_dirtree, load_file
from ostrya.tree.checkout_files import FilePlacer
from ostrya.tree.checkout_options import CheckoutOptions
from ostrya.tree.checkout_worker import (
    DirTask,
    finish_dir,
    make_below,
    make_checkout_worker,
    make_dir,
)
from ostrya.tree.errors import HardlinkImpossible
from ostrya.tree.lineage import Lineage
from ostrya.tree.lookup import File, commit_root, resolve_path
from ostrya.tree.modifier import FileInfo
from ostrya.tree.whiteouts import OPAQUE_NAME
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.dirmeta import DirMeta
    from ostrya.repo.repository import Repository

_BATCH_FILES = 256


class CheckoutResult(NamedTuple):
    """What a checkout placed.

    Attributes:
        files: Number of files and symbolic links.
        dirs: Number of directories.
    """

    files: int
    dirs: int


def checkout_commit(  # noqa: PLR0913  # options by keyword
    repo: Repository,
    checksum: Checksum,
    destination: str,
    *,
    options: CheckoutOptions | None = None,
    subpath: str = "/",
    dir_fd: int | None = None,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> CheckoutResult:
    """Lay out a commit's tree, or a part of it, in a directory.

    Args:
        repo: Where the commit is.
        checksum: The commit.
        destination: The directory; made, unless overwriting is allowed and it is there.
        options: How to lay it out.
        subpath: The part to lay out; of a file, it is placed inside ``destination``.
        dir_fd: What ``destination`` is relative to; the current directory if None.
        jobs: How many workers at most; one per processor if None.
        progress: Told about files.

    Raises:
        PathNotFound: The commit has nothing at ``subpath``.
        NotADirectory: The way there leads through a file.
        ObjectNotFound: The repository lacks an object.
        FileExistsError: Something is there that may not be replaced.
        HardlinkImpossible: Hard links are required and impossible.
    """
    options = options or CheckoutOptions()
    if repo.mode == RepoMode.BARE_USER_ONLY:
        options = options._replace(user_mode=True)
    found = resolve_path(repo, commit_root(repo, checksum), subpath)
    if isinstance(found, File):
        return _checkout_file(repo, options, found.checksum, subpath, destination, dir_fd)
    checkout = _Checkout(repo, options, progress)
    return checkout.run(
        found.tree, found.meta, destination, dir_fd=dir_fd, jobs=jobs, subpath=subpath
    )


def _checkout_file(
    repo: Repository,
    options: CheckoutOptions,
    content: Checksum,
    subpath: str,
    destination: str,
    dir_fd: int | None,
) -> CheckoutResult:
    name = subpath.rstrip("/").rpartition("/")[2]
    with Below(destination):
        if destination != ".":
            dirfd.ensure_dir(destination, dir_fd=dir_fd, mode=0o700)
        fd = dirfd.open_dir(destination, dir_fd=dir_fd, follow=True)
        try:
            FilePlacer(repo, options, None).place(fd, name, content)
        except OSError as exc:
            if exc.errno != EEXIST:
                name_error(exc, os.path.join(destination, name))
            raise
        finally:
            os.close(fd)
    return CheckoutResult(1, 0)


class _Checkout:
    def __init__(self, repo: Repository, options: CheckoutOptions, progress: ProgressSink) -> None:
        self._repo = repo
        self._options = options
        self._progress = progress
        self._dirmetas: dict[Checksum, DirMeta] = {}
        self._unfinished: list[tuple[str, DirMeta]] = []
        self._dirs = 0
        self._destination = ""
        # Filters and labels are asked here, and whiteouts act on what is already in place.
        self._in_order = (
            options.process_whiteouts or options.filter is not None or options.devino is not None
        )

    def run(
        self,
        contents: Checksum,
        metadata: Checksum,
        destination: str,
        *,
        dir_fd: int | None,
        jobs: int | None,
        subpath: str,
    ) -> CheckoutResult:
        root_meta = self._labeled("", self._dirmeta(metadata), subpath)
        self._destination = destination
        with Below(destination):
            files = self._fill(contents, root_meta, dir_fd=dir_fd, jobs=jobs, subpath=subpath)
        return CheckoutResult(files, self._dirs)

    def _fill(
        self,
        contents: Checksum,
        root_meta: DirMeta,
        *,
        dir_fd: int | None,
        jobs: int | None,
        subpath: str,
    ) -> int:
        destination = self._destination
        made = make_dir(destination, dir_fd, self._options)
        root_fd = dirfd.open_dir(destination, dir_fd=dir_fd, follow=True)
        try:
            self._check_device(root_fd)
            if made:
                self._unfinished.append(("", root_meta))
            files = self._place_all(root_fd, contents, jobs, subpath)
            for relative, dirmeta in reversed(self._unfinished):
                finish_dir(root_fd, relative, dirmeta, self._options, self._repo.mode)
        finally:
            os.close(root_fd)
        return files

    def _place_all(self, root_fd: int, contents: Checksum, jobs: int | None, subpath: str) -> int:
        progress = self._progress
        progress.send(Started("checking out", None, Unit.ITEMS))
        factory = make_checkout_worker(self._repo, self._options, root_fd, self._destination)
        tasks = self._walk(root_fd, contents, subpath)
        placed = 0
        batches = ([task] for task in tasks) if self._in_order else _batches(tasks)
        touched: set[str] = set()
        # A worker in this very process works on a batch before the next one is asked for.
        for count, prefixes in map_batches(factory, batches, jobs=1 if self._in_order else jobs):
            placed += count
            touched.update(prefixes)
            progress.send(Advanced("checking out", placed))
        if touched:
            from ostrya.tree.uncompressed_cache import collect_garbage

            collect_garbage(self._repo, touched)
        progress.send(Finished("checking out", placed))
        return placed

    def _walk(self, root_fd: int, contents: Checksum, subpath: str) -> Iterator[DirTask]:
        """Make directories, and yield what is to be placed in each."""
        stack: list[tuple[str, Lineage, DirMeta | None]] = [("", Lineage(contents), None)]
        while stack:
            relative, lineage, dirmeta = stack.pop()
            tree = load_dirtree(self._repo, lineage.tree)
            if self._options.process_whiteouts and any(
                name == OPAQUE_NAME for name, _ in tree.files
            ):
                _hide_what_is_there(root_fd, relative)
            self._dirs += 1
            children = self._children(relative, tree.dirs, subpath)
            files = self._files(relative, tree.files, subpath)
            if dirmeta is not None and not children and not self._in_order:
                # A leaf is made, filled and finished by one worker.
                yield relative, files, (*dirmeta[:3], dirmeta.xattrs)
                continue
            if dirmeta is not None and make_below(root_fd, relative, self._options):
                self._unfinished.append((relative, dirmeta))
            if files:
                yield relative, files, None
            stack.extend(
                (path, lineage.enter(child), child_meta)
                for path, child, child_meta in reversed(children)
            )

    def _children(
        self, relative: str, dirs: tuple[tuple[str, Checksum, Checksum], ...], subpath: str
    ) -> list[tuple[str, Checksum, DirMeta]]:
        children: list[tuple[str, Checksum, DirMeta]] = []
        for name, child, metadata in dirs:
            path = f"{relative}/{name}" if relative else name
            dirmeta = self._dirmeta(metadata)
            if self._wanted(path, FileInfo(*dirmeta[:3])):
                children.append((path, child, self._labeled(path, dirmeta, subpath)))
        return children

    def _files(
        self, relative: str, files: tuple[tuple[str, Checksum], ...], subpath: str
    ) -> list[tuple[str, str, str | None]]:
        options = self._options
        if options.filter is None and not options.skip_paths and options.label_for is None:
            return [(name, checksum, None) for name, checksum in files]
        wanted: list[tuple[str, str, str | None]] = []
        for name, checksum in files:
            path = f"{relative}/{name}" if relative else name
            if options.filter is None and options.label_for is None:
                if "/" + path not in options.skip_paths:
                    wanted.append((name, str(checksum), None))
                continue
            with load_file(self._repo, checksum) as loaded:
                info = FileInfo(*loaded.header[:3])
            if self._wanted(path, info):
                wanted.append((name, str(checksum), self._label(path, info.mode, subpath)))
        return wanted

    def _wanted(self, path: str, info: FileInfo) -> bool:
        options = self._options
        skipped_as = f"/{path}/" if stat.S_ISDIR(info.mode) else "/" + path
        if skipped_as in options.skip_paths:
            return False
        return options.filter is None or options.filter("/" + path, info)

    def _label(self, path: str, mode: int, subpath: str) -> str | None:
        options = self._options
        if options.label_for is None:
            return None
        prefix = options.label_prefix if options.label_prefix != "/" else subpath
        return options.label_for(f"{prefix.rstrip('/')}/{path}", mode)

    def _labeled(self, path: str, dirmeta: DirMeta, subpath: str) -> DirMeta:
        label = self._label(path, dirmeta.mode, subpath)
        if label is None:
            return dirmeta
        from ostrya.tree.selinux_labels import with_label

        return dirmeta._replace(xattrs=with_label(dirmeta.xattrs, label, dirmeta.mode))

    def _dirmeta(self, checksum: Checksum) -> DirMeta:
        dirmeta = self._dirmetas.get(checksum)
        if dirmeta is None:
            dirmeta = self._dirmetas[checksum] = load_dirmeta(self._repo, checksum)
        return dirmeta

    def _check_device(self, root_fd: int) -> None:
        source = os.fstat(self._repo.dir_fd).st_dev
        destination = os.fstat(root_fd).st_dev
        if self._options.require_hardlinks and source != destination:
            raise HardlinkImpossible(
                "Unable to do hardlink checkout across devices "
                f"(src={source} destination={destination})"
            )


def _hide_what_is_there(root_fd: int, relative: str) -> None:
    """Remove a directory that an opaque one takes the place of; of the root, its content."""
    if not relative:
        for name in dirfd.list_names(root_fd):
            dirfd.remove_tree(name, dir_fd=root_fd)
        return
    parent, _, name = relative.rpartition("/")
    parent_fd = dirfd.open_dir_below(root_fd, parent)
    try:
        dirfd.remove_tree(name, dir_fd=parent_fd)
    except OSError as exc:
        exc.filename = relative
        raise
    finally:
        os.close(parent_fd)


def _batches(tasks: Iterator[DirTask]) -> Iterator[list[DirTask]]:
    batch: list[DirTask] = []
    count = 0
    for task in tasks:
        batch.append(task)
        count += len(task[1]) + 1
        if count >= _BATCH_FILES:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch
