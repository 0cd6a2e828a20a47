# SPDX-License-Identifier: Apache-2.0
"""An archive into a MutableTree, without unpacking it anywhere."""

from __future__ import annotations

import stat
from typing import IO, TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import check_filename
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.tree.archive_entries import ArchiveEntry, read_archive
from ostrya.tree.errors import ArchiveError, ParentMissing
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.rules import CommitRules

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.mutable_tree import MutableTree

_DEFAULT_DIR_MODE = 0o040755


def import_archive(  # noqa: PLR0913  # options by keyword
    tx: Transaction,
    stream: IO[bytes],
    tree: MutableTree,
    modifier: CommitModifier | None = None,
    *,
    autocreate_parents: bool = False,
    rename: Callable[[str], str] | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> None:
    """Store an archive's files, and overlay its entries on a tree.

    Args:
        tx: Where objects are written.
        stream: The archive: tar or cpio, compressed or not; read from front to back.
        tree: What its entries are put into.
        modifier: What to change on the way; nothing if None.
        autocreate_parents: Make directories that the archive leaves out, owned like the entry
            that needs them.
        rename: New path for each path, both relative to the root; it is given paths as the archive
            spells them, most directories with a slash at their end.
        progress: Told about entries.

    Raises:
        ArchiveError: The archive is damaged, of no known kind, or holds hostile paths.
        ParentMissing: A directory is left out and not made.
        TreeConflict: A file meets a directory of the same name.
    """
    _Import(tx, tree, modifier or CommitModifier(), autocreate_parents, rename).run(
        stream, progress
    )


class _Import:
    def __init__(
        self,
        tx: Transaction,
        root: MutableTree,
        modifier: CommitModifier,
        autocreate_parents: bool,  # noqa: FBT001  # private, one caller
        rename: Callable[[str], str] | None,
    ) -> None:
        self._tx = tx
        self._root = root
        self._rules = CommitRules(tx, modifier)
        self._autocreate = autocreate_parents
        self._rename = rename
        self._hardlinks: list[tuple[str, str, int]] = []

    def run(self, stream: IO[bytes], progress: ProgressSink) -> None:
        progress.send(Started("importing archive", None, Unit.ITEMS))
        count = 0
        for entry in read_archive(stream):
            try:
                self._take(entry)
            except ObjectFormatError as exc:
                # An owner that is no number of 32 bits, a link target that is not UTF-8 …
                path = entry.path.encode("utf-8", "surrogateescape").decode(errors="replace")
                raise ArchiveError(f"{path}: {exc.message}") from exc
            count += 1
            progress.send(Advanced("importing archive", count))
        self._link_all()
        if self._root.metadata_checksum is None and self._autocreate:
            self._make_root()
        progress.send(Finished("importing archive", count))

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
            place.replace_file(name, self._store(header, entry))
        if entry.hardlink is not None:
            self._hardlinks.append((path, self._final_path(entry.hardlink), entry.size))

    def _store(self, header: FileHeader, entry: ArchiveEntry) -> Checksum:
        if header.is_symlink:
            return self._tx.writer.write_symlink(header)
        return self._tx.writer.write_stream(header, entry.size, entry.chunks())

    # -- paths

    def _final_path(self, path: str) -> str:
        """Return a path relative to the root, renamed, with nothing odd in it."""
        return _relative(path if self._rename is None else self._rename(_spelled(path)))

    def _directory(self, path: str, entry: ArchiveEntry) -> MutableTree:
        parent, _, name = path.rpartition("/")
        return self._parent(parent, entry).ensure_dir(name)

    def _parent(self, path: str, entry: ArchiveEntry) -> MutableTree:
        parts = path.split("/") if path else []
        if self._autocreate and self._root.metadata_checksum is None:
            self._autocreate_dir(self._root, "/", entry)
        place = self._root
        so_far = ""
        for part in parts:
            so_far += "/" + part
            child = place.dirs().get(part)
            if child is None:
                if not self._autocreate:
                    raise ParentMissing(
                        f"No such file or directory: {path}",
                        hint="--tar-autocreate-parents makes directories that are left out",
                    )
                child = place.ensure_dir(part)
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
        for path, target, _ in self._hardlinks:
            seen = {path}
            while target in targets and target not in seen:
                seen.add(target)
                target = targets[target]  # noqa: PLW2901  # the end of the chain
            parent, _, name = path.rpartition("/")
            self._walk(parent).replace_file(name, self._lookup(target))

    def _walk(self, path: str) -> MutableTree:
        place = self._root.walk(path.split("/") if path else [])
        if place is None:
            raise ArchiveError(f"Hard link to a directory that is not there: {path}")
        return place

    def _lookup(self, path: str) -> Checksum:
        parent, _, name = path.rpartition("/")
        place = self._walk(parent)
        checksum = place.files().get(name)
        if checksum is None:
            what = "a directory" if name in place.dirs() else "nothing"
            raise ArchiveError(f'Expected hardlink file target at "{path}" but found {what}')
        return checksum


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
