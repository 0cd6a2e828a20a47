# SPDX-License-Identifier: Apache-2.0
"""A CommitModifier applied to one repository: what becomes of each file and directory.

The same rules hold whether a tree comes from the disk, from an archive or from a commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.object_name import ObjectType
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.repo.modes import RepoMode
from ostrya.tree.modifier import CommitModifier, FileInfo, canonical_info

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.dirmeta import DirMeta
    from ostrya.repo.transaction import Transaction

_SELINUX = b"security.selinux"


class CommitRules:
    """Decides what is committed of each path.

    Attributes:
        modifier: Where the decisions come from.
        skip_xattrs: Whether extended attributes are left out.
        decides_xattrs: Whether extended attributes depend on the path.
        leaves_info_alone: Whether owner, group and mode stay as they are.
    """

    __slots__ = (
        "_canonical",
        "_dirmetas",
        "_tx",
        "decides_xattrs",
        "leaves_info_alone",
        "modifier",
        "skip_xattrs",
    )

    def __init__(self, tx: Transaction, modifier: CommitModifier) -> None:
        self.modifier = modifier
        self._tx = tx
        self._canonical = tx.repo.mode == RepoMode.BARE_USER_ONLY
        self.leaves_info_alone = modifier.leaves_info_alone and not self._canonical
        self.skip_xattrs = (
            modifier.skip_xattrs
            or modifier.canonical_permissions
            or self._canonical
            or tx.repo.config.disable_xattrs
        )
        self.decides_xattrs = modifier.label_for is not None or modifier.xattrs_for is not None
        self._dirmetas: dict[DirMeta, Checksum] = {}

    def info(self, path: str, info: FileInfo) -> FileInfo | None:
        """Return owner, group and mode to commit for a path, None to leave it out."""
        if self.leaves_info_alone:
            return info
        result = self.modifier.apply(path, info)
        if result is not None and self._canonical:
            return canonical_info(result)
        return result

    def xattrs(self, path: str, info: FileInfo, present: Xattrs) -> Xattrs:
        """Return the extended attributes to commit for a path.

        Raises:
            RepoError: A label is required and there is none.
        """
        found = () if self.skip_xattrs else present
        if not self.decides_xattrs:
            return found
        modifier = self.modifier
        if modifier.xattrs_for is not None:
            decided = modifier.xattrs_for(path, info)
            found = found if decided is None else decided
        return found if modifier.label_for is None else self._labeled(path, info, found)

    def _labeled(self, path: str, info: FileInfo, found: Xattrs) -> Xattrs:
        modifier = self.modifier
        labeled_path = path
        if modifier.label_usr_etc_as_etc and (path + "/").startswith("/usr/etc/"):
            labeled_path = path[len("/usr") :]
        label = None if modifier.label_for is None else modifier.label_for(labeled_path, info.mode)
        if label is None:
            if modifier.error_on_unlabeled:
                raise RepoError(f"Failed to look up SELinux label for '{path}'")
            return found
        others = [pair for pair in found if pair[0] != _SELINUX]
        # The label is a C string on the disk, its NUL included.
        return canonical_xattrs([*others, (_SELINUX, label.encode() + b"\0")])

    def write_dirmeta(self, dirmeta: DirMeta) -> Checksum:
        """Store a dirmeta; most directories of a tree share a few."""
        checksum = self._dirmetas.get(dirmeta)
        if checksum is None:
            checksum = self._tx.writer.write_metadata(ObjectType.DIR_META, dirmeta.encode())
            self._dirmetas[dirmeta] = checksum
        else:
            self._tx.counts.metadata_total += 1
        return checksum
