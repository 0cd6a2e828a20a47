# SPDX-License-Identifier: Apache-2.0
"""An archive into a MutableTree, without unpacking it anywhere.

It is read here, from front to back; workers hash and store what is in it.
"""

from __future__ import annotations

import stat
from typing import IO, TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import check_filename
from ostrya.formats.errors import ObjectFormatError, printable
from ostrya.formats.file_header import FileHeader
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.tree.archive_entries import ArchiveEntry, read_archive
from ostrya.tree.archive_worker import HANDED_OVER_BYTES, ArchiveFiles
from ostrya.tree.errors import ArchiveError, ParentMissing, TreeConflict
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.rules import CommitRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.archive_worker import Batch
    from ostrya.tree.mutable_tree import MutableTree

    Below = Callable[[str], Checksum | None]

_DEFAULT_DIR_MODE = 0o040755


class Imported(NamedTuple):
    """What an archive brought.

    Attributes:
        size_bytes: Of its content.
        entries: How many.
        newest: When the last of those taken was changed, in seconds since 1970 UTC; 0 for none.
    """

    size_bytes: int
    entries: int
    newest: int


class ArchiveExtent(NamedTuple):
    """How much an archive holds, or may hold: a small one can inflate to more than any disk.

    Attributes:
        size_bytes: Of its content; as a limit, also of the archive itself when it is inflated.
        entries: How many.
    """

    size_bytes: int
    entries: int


def import_archive(  # noqa: PLR0913  # options by keyword
    tx: Transaction,
    stream: IO[bytes],
    tree: MutableTree,
    modifier: CommitModifier | None = None,
    *,
    autocreate_parents: bool = False,
    rename: Callable[[str], str] | None = None,
    limits: ArchiveExtent | None = None,
    below: Below | None = None,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> Imported:
    """Store an archive's files, and overlay its entries on a tree; return how much it was.

    Args:
        tx: Where objects are written.
        stream: The archive: tar or cpio, compressed or not; read from front to back.
        tree: What its entries are put into.
        modifier: What to change on the way; nothing if None.
        autocreate_parents: Make directories that the archive leaves out, owned like the entry
            that needs them.
        rename: New path for each path, both relative to the root; it is given paths as the archive
            spells them, most directories with a slash at their end.
        limits: What is refused; nothing if None.
        below: For a layer: finds a file by its path in what it will lie on, where hard links may
            lead. Directories that the layer leaves out are made without metadata.
        jobs: How many workers at most; one per processor if None.
        progress: Told about entries.

    Raises:
        ArchiveError: The archive is damaged, of no known kind, or holds hostile paths, or too much.
        ParentMissing: A directory is left out and not made.
        TreeConflict: A file meets a directory of the same name.
    """
    rules = CommitRules(tx, modifier or CommitModifier())
    work = _Import(tx, tree, rules, rename, below)
    work.autocreate = autocreate_parents
    return work.run(stream, limits, jobs, progress)


class _Import:
    def __init__(
        self,
        tx: Transaction,
        root: MutableTree,
        rules: CommitRules,
        rename: Callable[[str], str] | None,
        below: Below | None,
    ) -> None:
        self.autocreate = False
        self._tx = tx
        self._root = root
        self._rules = rules
        self._rename = rename
        self._below = below
        self._files = ArchiveFiles(tx)
        self._hardlinks: list[tuple[str, str, int]] = []
        self._count = 0
        self._size_bytes = 0
        self._newest = 0

    def run(
        self,
        stream: IO[bytes],
        limits: ArchiveExtent | None,
        jobs: int | None,
        progress: ProgressSink,
    ) -> Imported:
        progress.send(Started("importing archive", None, Unit.ITEMS))
        for _ in self._files.run(self._batches(stream, limits), jobs):
            progress.send(Advanced("importing archive", self._count))
        self._link_all()
        if self._root.metadata_checksum is None and self.autocreate:
            self._make_root()
        progress.send(Finished("importing archive", self._count))
        return Imported(self._size_bytes, self._count, self._newest)

    def _batches(self, stream: IO[bytes], limits: ArchiveExtent | None) -> Iterator[Batch]:
        for entry in read_archive(stream, max_bytes=None if limits is None else limits.size_bytes):
            self._count += 1
            self._size_bytes += entry.size
            if limits is not None:
                _check_extent(ArchiveExtent(self._size_bytes, self._count), limits)
            try:
                self._take(entry)
            except ObjectFormatError as exc:
                raise ArchiveError(f"{printable(entry.path)}: {exc.message}") from exc
            if (batch := self._files.take_batch()) is not None:
                yield batch
        if (batch := self._files.take_batch(last=True)) is not None:
            yield batch

    def _make_root(self) -> None:
        """Give a root to an archive without any entry."""
        info = self._rules.info("/", FileInfo(0, 0, _DEFAULT_DIR_MODE))
        if info is not None:
            self._set_dirmeta(self._root, "/", info)

    def _take(self, entry: ArchiveEntry) -> None:
        path = self._final_path(entry.path)
        absolute = "/" + path
        mode = entry.mode
        if entry.hardlink is not None:
            mode = stat.S_IFREG | stat.S_IMODE(mode)
        info = self._rules.info(absolute, FileInfo(entry.uid, entry.gid, mode))
        if info is None:
            return
        self._newest = max(self._newest, entry.mtime)
        if stat.S_ISDIR(mode):
            place = self._directory(path, entry) if path else self._root
            xattrs = self._rules.xattrs(absolute, info, entry.xattrs)
            place.set_metadata_checksum(self._rules.write_dirmeta(DirMeta(*info, xattrs)))
            return
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise ArchiveError(f'Unsupported file type for path "{path}"')
        if not path:
            raise ArchiveError("The root of an archive must be a directory")
        parent, _, name = path.rpartition("/")
        place = self._parent(parent, entry)
        if entry.hardlink is None or entry.size:
            xattrs = self._rules.xattrs(absolute, info, entry.xattrs)
            header = FileHeader(*info, entry.symlink_target, xattrs)
            self._store(place, name, header, entry)
        if entry.hardlink is not None:
            self._hardlinks.append((path, self._final_path(entry.hardlink), entry.size))

    def _store(
        self, place: MutableTree, name: str, header: FileHeader, entry: ArchiveEntry
    ) -> None:
        if name in place.dirs():
            raise TreeConflict(f"Can't replace directory with file: {name}")
        if header.is_symlink:
            self._files.hand_over(place, name, entry.path, header, b"")
        elif entry.size <= HANDED_OVER_BYTES:
            self._files.hand_over(place, name, entry.path, header, b"".join(entry.chunks()))
        else:
            checksum = self._tx.writer.write_stream(header, entry.size, entry.chunks())
            self._files.put(place, name, checksum)

    # -- paths

    def _final_path(self, path: str) -> str:
        """Return a path relative to the root, renamed, with nothing odd in it."""
        return _relative(path if self._rename is None else self._rename(_spelled(path)))

    def _directory(self, path: str, entry: ArchiveEntry) -> MutableTree:
        parent, _, name = path.rpartition("/")
        return self._ensure_dir(self._parent(parent, entry), name)

    def _ensure_dir(self, place: MutableTree, name: str) -> MutableTree:
        if self._files.expects(place, name):
            raise TreeConflict(f"Can't replace file with directory: {name}")
        return place.ensure_dir(name)

    def _parent(self, path: str, entry: ArchiveEntry) -> MutableTree:
        parts = path.split("/") if path else []
        if self.autocreate and self._root.metadata_checksum is None:
            self._autocreate_dir(self._root, "/", entry)
        place = self._root
        so_far = ""
        for part in parts:
            so_far += "/" + part
            child = place.dirs().get(part)
            if child is None:
                if not (self.autocreate or self._below):
                    raise ParentMissing(
                        f"No such file or directory: {path}",
                        hint="--tar-autocreate-parents makes directories that are left out",
                    )
                child = self._ensure_dir(place, part)
                if self.autocreate:
                    self._autocreate_dir(child, so_far, entry)
            place = child
        return place

    def _autocreate_dir(self, place: MutableTree, path: str, entry: ArchiveEntry) -> None:
        # Nothing says who owns it: whoever owns what made it necessary.
        owner = FileInfo(entry.uid, entry.gid, _DEFAULT_DIR_MODE)
        if self._rules.modifier.owner_uid is not None:
            owner = owner._replace(uid=self._rules.modifier.owner_uid)
        if self._rules.modifier.owner_gid is not None:
            owner = owner._replace(gid=self._rules.modifier.owner_gid)
        self._set_dirmeta(place, path, owner)

    def _set_dirmeta(self, place: MutableTree, path: str, info: FileInfo) -> None:
        xattrs = self._rules.xattrs(path, info, ())
        place.set_metadata_checksum(self._rules.write_dirmeta(DirMeta(*info, xattrs)))

    # -- hard links

    def _link_all(self) -> None:
        """Give every name of a hard-linked file its content, wherever in the archive that was."""
        contents: dict[str, Checksum] = {}
        for path, target, size in self._hardlinks:
            if size and target not in contents:
                contents[target] = self._lookup(path)
        for target, checksum in contents.items():
            parent, _, name = target.rpartition("/")
            self._walk(parent).replace_file(name, checksum)
        # A target may itself be a name that comes later.
        targets = {path: target for path, target, size in self._hardlinks if not size}
        ends: dict[str, str] = {}
        for path, _, _ in self._hardlinks:
            parent, _, name = path.rpartition("/")
            self._walk(parent).replace_file(name, self._lookup(_end(path, targets, ends)))

    def _walk(self, path: str) -> MutableTree:
        place = self._root.walk(path.split("/") if path else [])
        if place is None:
            raise ArchiveError(f"Hard link to a directory that is not there: {path}")
        return place

    def _lookup(self, path: str) -> Checksum:
        parent, _, name = path.rpartition("/")
        place = self._root.walk(parent.split("/") if parent else [])
        checksum = None if place is None else place.files().get(name)
        if checksum is None and self._below is not None:
            checksum = self._below(path)
        if checksum is None:
            what = "a directory" if place is not None and name in place.dirs() else "nothing"
            raise ArchiveError(f'Expected hardlink file target at "{path}" but found {what}')
        return checksum


def _end(path: str, targets: dict[str, str], ends: dict[str, str]) -> str:
    """Return where a chain of hard links ends, and note it for all of the chain."""
    chain = []
    place = path
    while place in targets and place not in ends:
        chain.append(place)
        # A circle ends where it begins.
        ends[place] = path
        place = targets[place]
    end = ends.get(place, place)
    ends.update(dict.fromkeys(chain, end))
    return end


def _check_extent(found: ArchiveExtent, limits: ArchiveExtent) -> None:
    for what, has, most in zip(("bytes", "entries"), found, limits, strict=True):
        if has > most:
            raise ArchiveError(
                f"the archive holds more than {most:,} {what}",
                hint="if it is what you think it is, allow more",
            )


def _spelled(path: str) -> str:
    """Return a path relative to the root, otherwise as the archive has it."""
    absolute = path.startswith("/")
    while path.startswith(("/", "./")) or (absolute and path.startswith("../")):
        path = path[path.index("/") + 1 :]
    return "" if path == "." else path


def _relative(path: str) -> str:
    """Return a path without leading slashes and dots, and without a slash at its end.

    Raises:
        ArchiveError: A component is ``..``, or not UTF-8.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    while parts and parts[0] == ".." and path.startswith("/"):
        del parts[0]
    for part in parts:
        try:
            check_filename(part)
        except FormatError as exc:
            raise ArchiveError(f'While making relative path "{path}": {exc.message}') from exc
    return "/".join(parts)
