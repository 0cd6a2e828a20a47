# SPDX-License-Identifier: Apache-2.0
"""What a commit changes about the files and directories it takes in."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.tree.errors import UnmatchedPaths

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.formats.xattrs import Xattrs
    from ostrya.tree.consume import ConsumedDirectory
    from ostrya.tree.devino import DevInoCache


class FileInfo(NamedTuple):
    """What a filter may look at and change.

    Attributes:
        uid: Owner.
        gid: Group.
        mode: File type and permission bits.
    """

    uid: int
    gid: int
    mode: int


@dataclass(slots=True, kw_only=True)
class CommitModifier:
    """Changes applied to every file and directory of a tree on its way into a commit.

    Paths are absolute within the tree: ``/usr/bin/bash``, and ``/`` for the root. The path
    lists are used up as they match, see ``check_all_matched``.

    Attributes:
        owner_uid: Everything belongs to this user.
        owner_gid: Everything belongs to this group.
        canonical_permissions: Owner and group 0, modes reduced to what bare-user-only keeps.
        skip_xattrs: No extended attributes are taken over.
        read_only_executables: Executable files lose their write bits.
        mode_adds: Mode bits to add, by path.
        mode_overrides: Modes to set, file type apart, by path.
        skip_paths: What to leave out.
        consume: Files may become objects; the caller deletes what is then in ``consumed``.
        consumed: Every directory that was scanned with ``consume``.
        devino: Files known to be objects.
        devino_canonical: Files known to be objects are those objects, whatever was changed.
        generate_sizes: Gather a size entry per object (archives only).
        label_for: SELinux label by path and mode; None for no label.
        error_on_unlabeled: A path without a label is an error.
        label_usr_etc_as_etc: Labels of /usr/etc are those of /etc.
        filter: Called with path and info; returns the info to commit, or None to leave it out.
        xattrs_for: Called with path and info; returns the xattrs to commit, or None for those
            on the disk.
    """

    owner_uid: int | None = None
    owner_gid: int | None = None
    canonical_permissions: bool = False
    skip_xattrs: bool = False
    read_only_executables: bool = False
    mode_adds: dict[str, int] = field(default_factory=dict)
    mode_overrides: dict[str, int] = field(default_factory=dict)
    skip_paths: set[str] = field(default_factory=set)
    consume: bool = False
    consumed: list[ConsumedDirectory] = field(default_factory=list)
    devino: DevInoCache | None = None
    devino_canonical: bool = False
    generate_sizes: bool = False
    label_for: Callable[[str, int], str | None] | None = None
    error_on_unlabeled: bool = False
    label_usr_etc_as_etc: bool = False
    filter: Callable[[str, FileInfo], FileInfo | None] | None = None
    xattrs_for: Callable[[str, FileInfo], Xattrs | None] | None = None

    @property
    def leaves_info_alone(self) -> bool:
        """Whether owner, group and mode of everything stay as they are, and nothing is skipped."""
        return not (
            self.owner_uid is not None
            or self.owner_gid is not None
            or self.canonical_permissions
            or self.read_only_executables
            or self.mode_adds
            or self.mode_overrides
            or self.skip_paths
            or self.filter is not None
        )

    def apply(self, path: str, info: FileInfo) -> FileInfo | None:
        """Return what to commit for a path, None to leave it out."""
        uid, gid, mode = info
        if self.owner_uid is not None:
            uid = self.owner_uid
        if self.owner_gid is not None:
            gid = self.owner_gid
        mode = self._mode_for(path, mode)
        if path in self.skip_paths:
            self.skip_paths.discard(path)
            return None
        result: FileInfo | None = FileInfo(uid, gid, mode)
        if self.filter is not None:
            result = self.filter(path, FileInfo(uid, gid, mode))
        if result is not None and self.canonical_permissions:
            return canonical_info(result)
        return result

    def _mode_for(self, path: str, mode: int) -> int:
        if self.read_only_executables and stat.S_ISREG(mode) and mode & 0o111:
            mode &= ~0o222
        added = self.mode_adds.pop(path, None)
        if added is not None:
            if stat.S_ISDIR(mode) and path != "/":
                # libostree drops additions to directories below the root; the same tree must
                # give the same checksum here.
                return mode
            return mode | added
        override = self.mode_overrides.get(path)
        if override is not None:
            return stat.S_IFMT(mode) | override
        return mode

    def check_all_matched(self) -> None:
        """Refuse lists that name what the tree does not have.

        Raises:
            UnmatchedPaths: The first list with paths left over.
        """
        if self.mode_adds:
            raise UnmatchedPaths("statoverride", tuple(self.mode_adds))
        if self.skip_paths:
            raise UnmatchedPaths("skip-list", tuple(sorted(self.skip_paths)))


def canonical_info(info: FileInfo) -> FileInfo:
    """Return owner 0, group 0, and a mode that every mode of repository can hold."""
    mode = info.mode
    if not stat.S_ISLNK(mode):
        mode &= stat.S_IFMT(mode) | 0o755
    return FileInfo(0, 0, mode)
