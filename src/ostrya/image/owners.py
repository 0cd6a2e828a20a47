# SPDX-License-Identifier: Apache-2.0
"""Numbers of users and groups that stay what they were in the release before.

What has changed is an error, unless whoever makes the release says otherwise: the old numbers are
put back, in ``passwd`` and ``group`` and in every file of the tree, or the new ones are accepted.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.object_name import ObjectType
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.image.accounts import (
    Accounts,
    Drift,
    find_drift,
    merge_accounts,
    parse_accounts,
    rewrite_accounts,
    settle_numbers,
)
from ostrya.image.policies import AccountPolicy
from ostrya.repo.reader import load_dirmeta, load_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.formats.checksum import Checksum
    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor
    from ostrya.tree.mutable_tree import MutableTree

# Where a release has them, and where nss-altfiles has more of them.
_PLACES = ("usr/etc", "etc", "usr/lib")
_FILES = (("passwd", "user"), ("group", "group"))
_ACLS = (b"system.posix_acl_access", b"system.posix_acl_default")
_ACL_ENTRY = struct.Struct("<HHI")
_ACL_HEAD_BYTES = 4
_ACL_USER, _ACL_GROUP = 0x02, 0x08
_SHOWN = 20
_HINT = (
    "files on devices would change their owner; give them the numbers that they had, or say "
    "accounts = keep-old, or accept if it is what you want"
)


def read_accounts(editor: TreeEditor) -> Accounts:
    """Return who there is in a tree, converted or not."""
    found = Accounts({}, {})
    for place in _PLACES:
        texts = [_text(editor, f"{place}/{name}") for name, _ in _FILES]
        found = merge_accounts(found, parse_accounts(*texts))
    return found


def settle_accounts(
    editor: TreeEditor, report: Report, old: Accounts | None, policy: AccountPolicy
) -> None:
    """Compare with the release before, and do what the policy says.

    Args:
        editor: The tree.
        report: Told what has changed.
        old: Who there was; None if there was no release before.
        policy: What to do.
    """
    if old is None:
        return
    new = read_accounts(editor)
    drift = find_drift(old, new)
    for kind, before, now in (("user", old.users, new.users), ("group", old.groups, new.groups)):
        for name in sorted(set(before) - set(now)):
            report.tell("accounts.gone", f"etc/{_file_of(kind)}", f"{kind} {name} is gone")
    if not drift:
        return
    if policy is AccountPolicy.FAIL:
        for one in drift[:_SHOWN]:
            report.conflict("accounts.drift", f"etc/{_file_of(one.kind)}", one.sentence(), _HINT)
        if len(drift) > _SHOWN:
            report.conflict(
                "accounts.drift", "etc", f"and {len(drift) - _SHOWN} more users and groups", _HINT
            )
    elif policy is AccountPolicy.ACCEPT:
        for one in drift:
            report.tell(
                "accounts.accepted", f"etc/{_file_of(one.kind)}", f"accepted: {one.sentence()}"
            )
    else:
        _keep_old(editor, report, old, new, drift)


def _keep_old(
    editor: TreeEditor, report: Report, old: Accounts, new: Accounts, drift: list[Drift]
) -> None:
    users = settle_numbers(old.users, new.users)
    groups = settle_numbers(old.groups, new.groups)
    for place in _PLACES:
        for name, kind in _FILES:
            path = f"{place}/{name}"
            if editor.is_file(path):
                text = _text(editor, path)
                changed = rewrite_accounts(text, kind, users, groups)
                if changed != text:
                    editor.rewrite(path, changed.encode(errors="surrogateescape"))
    count = _Owners(editor, users, groups).change(editor.root)
    for one in drift:
        mapping = users if one.kind == "user" else groups
        report.tell(
            "accounts.kept",
            f"etc/{_file_of(one.kind)}",
            f"gave {one.kind} {one.name} {mapping.get(one.number, one.number)} "
            f"instead of {one.number}",
        )
    report.tell("accounts.files", "", f"changed the owners of {count} files and directories")


class _Owners:
    """Other owners for all that is in a tree."""

    def __init__(
        self, editor: TreeEditor, users: Mapping[int, int], groups: Mapping[int, int]
    ) -> None:
        self._editor = editor
        self._users = users
        self._groups = groups
        self._files: dict[Checksum, Checksum] = {}
        self._metas: dict[Checksum, Checksum] = {}

    def change(self, root: MutableTree) -> int:
        """Change a tree; return how much there was to do."""
        count = 0
        stack = [root]
        while stack:
            tree = stack.pop()
            stack.extend(tree.dirs().values())
            if tree.metadata_checksum is not None:
                meta = self._meta(tree.metadata_checksum)
                count += meta != tree.metadata_checksum
                tree.set_metadata_checksum(meta)
            for name, content in list(tree.files().items()):
                other = self._file(content)
                if other != content:
                    tree.replace_file(name, other)
                    count += 1
        return count

    def _meta(self, checksum: Checksum) -> Checksum:
        known = self._metas.get(checksum)
        if known is None:
            meta = load_dirmeta(self._editor.tx.repo, checksum)
            changed = DirMeta(
                self._users.get(meta.uid, meta.uid),
                self._groups.get(meta.gid, meta.gid),
                meta.mode,
                self._xattrs(meta.xattrs),
            )
            known = checksum
            if changed != meta:
                known = self._editor.tx.writer.write_metadata(ObjectType.DIR_META, changed.encode())
            self._metas[checksum] = known
        return known

    def _file(self, checksum: Checksum) -> Checksum:
        known = self._files.get(checksum)
        if known is not None:
            return known
        writer = self._editor.tx.writer
        known = checksum
        with load_file(self._editor.tx.repo, checksum) as file:
            header = file.header
            changed = header._replace(
                uid=self._users.get(header.uid, header.uid),
                gid=self._groups.get(header.gid, header.gid),
                xattrs=self._xattrs(header.xattrs),
            )
            if changed != header:
                if header.is_symlink:
                    known = writer.write_symlink(changed)
                else:
                    known = writer.write_stream(changed, file.size, file.chunks())
        self._files[checksum] = known
        return known

    def _xattrs(self, xattrs: Xattrs) -> Xattrs:
        if not any(name in _ACLS for name, _ in xattrs):
            return xattrs
        return canonical_xattrs(
            (name, self._acl(value) if name in _ACLS else value) for name, value in xattrs
        )

    def _acl(self, value: bytes) -> bytes:
        out = bytearray(value)
        for at in range(_ACL_HEAD_BYTES, len(value) - _ACL_ENTRY.size + 1, _ACL_ENTRY.size):
            tag, permissions, number = _ACL_ENTRY.unpack_from(value, at)
            mapping = {_ACL_USER: self._users, _ACL_GROUP: self._groups}.get(tag)
            if mapping is not None:
                _ACL_ENTRY.pack_into(out, at, tag, permissions, mapping.get(number, number))
        return bytes(out)


def _text(editor: TreeEditor, path: str) -> str:
    return editor.read(path).decode(errors="surrogateescape") if editor.is_file(path) else ""


def _file_of(kind: str) -> str:
    return "passwd" if kind == "user" else "group"
