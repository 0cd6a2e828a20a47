# SPDX-License-Identifier: Apache-2.0
"""The three-way merge of ``/etc``; `etc_plan` has the rules.

The new ``etc`` is a plain copy of the new default when this begins. Its parents of what is kept get
the owner and mode that they have here. Nothing is followed out of it: a directory that has become
a link in the new default is a conflict, not a way elsewhere.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from errno import ELOOP, ENOENT, ENOTDIR
from typing import TYPE_CHECKING

from ostrya._linux.copying import copy_dir_attributes, copy_entry
from ostrya._linux.dirfd import ensure_dir, open_dir, open_dir_below, remove_tree, unlink_if_exists
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.errors import EtcConflict
from ostrya.sysroot.etc_plan import EtcChange, Kind, Outcome, plan_merge
from ostrya.tree.diff import HostTree, HostView, TreeDiff, compare_trees

if TYPE_CHECKING:
    from collections.abc import Callable

_VIEW = HostView(with_xattrs=False)


class MergeCounts(NamedTuple):
    """How many changes were taken along."""

    modified: int
    removed: int
    added: int


def diff_etc(old_default_fd: int, mine_fd: int) -> TreeDiff:
    """Return what was changed on this machine, without extended attributes."""
    trees = [HostTree(os.dup(fd), "/", _VIEW) for fd in (old_default_fd, mine_fd)]
    try:
        return compare_trees(*trees)
    finally:
        for tree in trees:
            tree.close()


def plan_etc(diff: TreeDiff, mine_fd: int, default: Callable[[str], Kind]) -> list[EtcChange]:
    """Return what the merge will do; ``default`` says what the new default has at a path."""
    return list(plan_merge(diff, lambda path: kind_below(mine_fd, path), default))


def merge_etc(
    old_default_fd: int,
    mine_fd: int,
    new_fd: int,
    *,
    with_xattrs: bool = True,
    on_skipped: Callable[[str], None] = lambda _path: None,
    on_counted: Callable[[MergeCounts], None] = lambda _counts: None,
) -> MergeCounts:
    """Do again in a new ``etc`` what was changed in the old one.

    Args:
        old_default_fd: The ``usr/etc`` of the deployment that is merged from.
        mine_fd: Its ``etc``.
        new_fd: A copy of the new default; changed.
        with_xattrs: Whether extended attributes of what is kept are copied.
        on_skipped: Told about each pipe, socket and device; they are not copied.
        on_counted: Told how many changes there are before anything is done.

    Raises:
        EtcConflict: A change has no place in the new default; nothing was changed.
        OSError: Something cannot be read or written; its path is relative to ``etc``.
    """
    diff = diff_etc(old_default_fd, mine_fd)
    counts = MergeCounts(len(diff.modified), len(diff.removed), len(diff.added))
    on_counted(counts)
    changes = plan_etc(diff, mine_fd, lambda path: kind_below(new_fd, path))
    for change in changes:
        if change.outcome is Outcome.CONFLICT:
            raise EtcConflict(change.blocker)
    for change in changes:
        if change.outcome is Outcome.DELETED:
            _delete(new_fd, change.path)
        elif change.outcome is Outcome.KEPT:
            try:
                _keep(change.path, mine_fd, new_fd, with_xattrs, on_skipped)
            except OSError as exc:
                exc.filename, exc.filename2 = change.path, None
                raise
        elif change.mine is Kind.OTHER:
            on_skipped(change.path)
    return counts


def kind_below(root_fd: int, path: str) -> Kind:
    """Say what there is at a path below a directory, without following links."""
    parent, _, name = path.rpartition("/")
    try:
        fd = open_dir_below(root_fd, parent)
    except OSError as exc:
        if exc.errno in (ENOENT, ENOTDIR, ELOOP):
            return Kind.ABSENT
        raise
    try:
        mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return Kind.ABSENT
    finally:
        os.close(fd)
    if stat.S_ISDIR(mode):
        return Kind.DIRECTORY
    if stat.S_ISLNK(mode):
        return Kind.SYMLINK
    return Kind.FILE if stat.S_ISREG(mode) else Kind.OTHER


def _delete(new_fd: int, path: str) -> None:
    parent, _, name = path.rpartition("/")
    try:
        fd = open_dir_below(new_fd, parent)
    except OSError as exc:
        if exc.errno in (ENOENT, ENOTDIR, ELOOP):
            # Its directory is gone too.
            return
        raise
    try:
        remove_tree(name, dir_fd=fd)
    finally:
        os.close(fd)


def _keep(
    path: str,
    mine_fd: int,
    new_fd: int,
    with_xattrs: bool,  # noqa: FBT001  # handed on
    on_skipped: Callable[[str], None],
) -> None:
    *parents, name = path.split("/")
    with ExitStack() as stack:
        for parent in parents:
            mine_fd = open_dir(parent, dir_fd=mine_fd)
            stack.callback(os.close, mine_fd)
            ensure_dir(parent, dir_fd=new_fd, mode=0o700)
            new_fd = open_dir(parent, dir_fd=new_fd)
            stack.callback(os.close, new_fd)
            copy_dir_attributes(mine_fd, new_fd, with_xattrs=with_xattrs)
        if kind_below(new_fd, name) is not Kind.DIRECTORY:
            # A directory cannot take the place of a file as a file can.
            unlink_if_exists(name, dir_fd=new_fd)
        copy_entry(
            name,
            source_fd=mine_fd,
            target_fd=new_fd,
            with_xattrs=with_xattrs,
            on_skipped=lambda below: on_skipped("/".join((*parents, below))),
        )
