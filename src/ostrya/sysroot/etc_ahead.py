# SPDX-License-Identifier: Apache-2.0
"""What the next deployment's merge of ``/etc`` will do, told while there is only its commit.

Of that, directories are enough: files may be still to come. Conflicts are looked for first by kind
alone, which takes no reading of files: where nothing is a directory here and a file there, nothing
can conflict.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import exists, open_dir, open_dir_below
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import load_file
from ostrya.sysroot.errors import EtcConflict
from ostrya.sysroot.etc_merge import diff_etc, plan_etc
from ostrya.sysroot.etc_plan import EtcChange, Kind, Outcome
from ostrya.tree.diff import CommitTree, compare_trees
from ostrya.tree.errors import NotADirectory, PathNotFound
from ostrya.tree.lookup import Directory, Entry, commit_root, resolve_path

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot

ETC_PLACES = ("/usr/etc", "/etc")
"""Where a commit may have the defaults of ``/etc``; the first that is there counts."""
_DEFAULTS = "usr/etc"
_CONFLICT, _KEPT, _IGNORED = Outcome.CONFLICT, Outcome.KEPT, Outcome.IGNORED


class EtcStep(NamedTuple):
    """What becomes of one path.

    Attributes:
        path: Relative to ``/etc``.
        outcome: ``conflict``, ``kept``, ``deleted`` or ``ignored`` for what was changed here;
            ``updated``, ``added`` or ``removed`` for what only the new defaults change.
        why: In words.
    """

    path: str
    outcome: str
    why: str


class EtcDefaults:
    """The defaults of ``/etc`` in a commit."""

    __slots__ = ("_repo", "_root")

    def __init__(self, repo: Repository, checksum: Checksum) -> None:
        """Find them.

        Raises:
            ObjectNotFound: The repository lacks a directory on the way.
        """
        self._repo = repo
        self._root: Directory | None = None
        top = commit_root(repo, checksum)
        for place in ETC_PLACES:
            entry = _find(repo, top, place)
            if isinstance(entry, Directory):
                # Paths are relative to where it is.
                self._root = Directory("/", entry.tree, entry.meta)
                break

    def tree(self) -> CommitTree | None:
        """Return them for comparison; None if there are none."""
        return None if self._root is None else CommitTree(self._repo, self._root)

    def entry(self, path: str) -> Entry | None:
        """Return what there is at a path; None for nothing."""
        return None if self._root is None else _find(self._repo, self._root, path)

    def kind(self, path: str) -> Kind:
        """Say what there is at a path; a link counts as a file until it is here."""
        entry = self.entry(path)
        if entry is None:
            return Kind.ABSENT
        if isinstance(entry, Directory):
            return Kind.DIRECTORY
        try:
            with load_file(self._repo, entry.checksum) as file:
                return Kind.SYMLINK if file.header.is_symlink else Kind.FILE
        except ObjectNotFound:
            return Kind.FILE


def require_mergeable(sysroot: Sysroot, merge: Deployment, checksum: Checksum) -> None:
    """Refuse a commit that ``/etc`` of a deployment cannot be merged with.

    Raises:
        EtcConflict: It cannot.
        ObjectNotFound: The repository lacks a directory.
    """
    defaults = EtcDefaults(sysroot.repo, checksum)
    tree = defaults.tree()
    with ExitStack() as stack:
        fds = _open_etc(sysroot, merge, stack)
        if fds is None or tree is None or not _may_conflict(fds[1], tree):
            return
        for change in plan_etc(diff_etc(*fds), fds[1], defaults.kind):
            if change.outcome is _CONFLICT:
                raise EtcConflict(change.blocker)


def plan_etc_ahead(sysroot: Sysroot, merge: Deployment, checksum: Checksum) -> list[EtcStep]:
    """Return what the merge will do with each path that changes, conflicts first.

    Args:
        sysroot: Where.
        merge: The deployment whose ``/etc`` is taken along.
        checksum: The commit of the deployment to come.

    Raises:
        ObjectNotFound: The repository lacks a directory.
    """
    defaults = EtcDefaults(sysroot.repo, checksum)
    news = _news(sysroot.repo, merge.checksum, defaults)
    with ExitStack() as stack:
        fds = _open_etc(sysroot, merge, stack)
        changes = [] if fds is None else plan_etc(diff_etc(*fds), fds[1], defaults.kind)
    steps = [
        EtcStep(change.path, change.outcome.value, _explain(change, news)) for change in changes
    ]
    changed = {change.path for change in changes}
    steps += [
        EtcStep(path, word, _NEWS[word]) for path, word in news.items() if path not in changed
    ]
    return sorted(steps, key=lambda step: (step.outcome != _CONFLICT.value, step.path))


def _find(repo: Repository, root: Directory, path: str) -> Entry | None:
    try:
        return resolve_path(repo, root, path)
    except (PathNotFound, NotADirectory):
        return None


def _open_etc(sysroot: Sysroot, merge: Deployment, stack: ExitStack) -> tuple[int, int] | None:
    """Open the defaults of a deployment and its ``/etc``; None if it has not both."""
    root_fd = open_dir(merge.path, dir_fd=sysroot.dir_fd, follow=True)
    stack.callback(os.close, root_fd)
    if not (exists(_DEFAULTS, dir_fd=root_fd) and exists("etc", dir_fd=root_fd)):
        return None
    old_fd = open_dir_below(root_fd, _DEFAULTS)
    stack.callback(os.close, old_fd)
    mine_fd = open_dir_below(root_fd, "etc")
    stack.callback(os.close, mine_fd)
    return old_fd, mine_fd


def _may_conflict(mine_fd: int, default: CommitTree) -> bool:
    """Say whether anything is a directory on one side and something else on the other."""
    files, dirs = frozenset(default.files()), frozenset(default.dirs())
    with os.scandir(mine_fd) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_dir in found:
        if name in (files if is_dir else dirs):
            return True
    for name, is_dir in found:
        if is_dir and name in dirs:
            fd = open_dir(name, dir_fd=mine_fd)
            try:
                if _may_conflict(fd, default.enter(name)):
                    return True
            finally:
                os.close(fd)
    return False


_NEWS = {
    "updated": "the new default",
    "added": "a new default",
    "removed": "no default any more",
}


def _news(repo: Repository, old: Checksum, new: EtcDefaults) -> dict[str, str]:
    """Return what the new defaults change by path; nothing if the old ones are not here."""
    try:
        before, after = EtcDefaults(repo, old).tree(), new.tree()
        if before is None or after is None:
            return {}
        diff = compare_trees(before, after)
    except ObjectNotFound:
        return {}
    return {
        path.removeprefix("/"): word
        for word, paths in (
            ("updated", diff.modified),
            ("added", diff.added),
            ("removed", diff.removed),
        )
        for path in paths
    }


def _explain(change: EtcChange, news: dict[str, str]) -> str:
    if change.outcome is _CONFLICT:
        if change.blocker == change.path:
            return f"{change.mine.value} here, a directory in the new defaults"
        return f"it lies in {change.blocker}, which is no directory in the new defaults"
    if change.outcome is _IGNORED:
        what = f"the owner or mode of {change.mine.value} by itself"
        return f"{what if change.mine is Kind.DIRECTORY else change.mine.value} is not taken along"
    done = {"removed": "deleted", "added": "made", "modified": "changed"}[change.change]
    return f"{done} here{_what_is_left_out(change, news)}"


def _what_is_left_out(change: EtcChange, news: dict[str, str]) -> str:
    """Say what of the new defaults is not used, where something of this machine is kept."""
    if change.default is Kind.ABSENT:
        return "; the new defaults have none" if change.change == "modified" else ""
    if change.change != "modified":
        return "; the new default is not used"
    if news.get(change.path) == "updated":
        return "; the new default, which has changed too, is not used"
    return ""
