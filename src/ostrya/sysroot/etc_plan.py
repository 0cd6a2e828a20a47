# SPDX-License-Identifier: Apache-2.0
"""What becomes of each file of ``/etc`` that was changed on this machine. Pure.

Three trees: the *old default* is the ``usr/etc`` of the deployment that is merged from, *mine* its
``etc`` with what was changed here, the *new default* the ``usr/etc`` of the deployment to come. The
new ``etc`` is the new default with every change from the old default to mine done again:

    deleted here                   stays deleted, whatever the new default says
    changed or added here          mine, whatever the new default says
    not changed here               the new default
    a file here, now a directory   a conflict: nothing is merged

Extended attributes do not count as changes, since the labels of the defaults differ from those in
use; nor does the mode of a directory by itself, as nothing of it is copied.

Source: ostree-sysroot-deploy.c (merge_configuration_from).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.tree.diff import TreeDiff


class Kind(Enum):
    """What there is at a path."""

    ABSENT = "nothing"
    FILE = "a file"
    SYMLINK = "a link"
    DIRECTORY = "a directory"
    OTHER = "a pipe, socket or device"


class Outcome(Enum):
    """What the merge does with a change."""

    KEPT = "kept"
    DELETED = "deleted"
    IGNORED = "ignored"
    CONFLICT = "conflict"


class EtcChange(NamedTuple):
    """One change of this machine, and what becomes of it.

    Attributes:
        path: Relative to ``/etc``.
        change: What was done here: ``modified``, ``removed`` or ``added``.
        outcome: What the merge does with it.
        mine: What there is here.
        default: What the new default has there.
        blocker: Of a conflict: the path that is in the way, perhaps a parent's.
    """

    path: str
    change: str
    outcome: Outcome
    mine: Kind
    default: Kind
    blocker: str = ""


def plan_merge(
    diff: TreeDiff, mine: Callable[[str], Kind], default: Callable[[str], Kind]
) -> Iterator[EtcChange]:
    """Yield what becomes of each change, in the order in which the merge does it.

    Args:
        diff: From the old default to mine.
        mine: What there is at a path here.
        default: What the new default has at a path.
    """
    for path in _relative(diff.removed):
        yield EtcChange(path, "removed", Outcome.DELETED, Kind.ABSENT, default(path))
    whole: set[str] = set()
    for change, paths in (("modified", diff.modified), ("added", diff.added)):
        for path in _relative(paths):
            if any(parent in whole for parent in _parents(path)):
                # It came with its directory.
                continue
            found = _plan_copy(path, change, mine(path), default)
            if found.mine is Kind.DIRECTORY and found.default is not Kind.DIRECTORY:
                whole.add(path)
            yield found


def _plan_copy(path: str, change: str, kind: Kind, default: Callable[[str], Kind]) -> EtcChange:
    there = default(path)
    for parent in _parents(path):
        found = default(parent)
        if found is Kind.ABSENT:
            break
        if found is not Kind.DIRECTORY:
            return EtcChange(path, change, Outcome.CONFLICT, kind, there, parent)
    if there is Kind.DIRECTORY and kind is not Kind.DIRECTORY:
        return EtcChange(path, change, Outcome.CONFLICT, kind, there, path)
    is_lost = kind is Kind.OTHER or (kind is Kind.DIRECTORY and there is Kind.DIRECTORY)
    outcome = Outcome.IGNORED if is_lost else Outcome.KEPT
    return EtcChange(path, change, outcome, kind, there)


def _relative(paths: tuple[str, ...]) -> Iterator[str]:
    return (path.removeprefix("/") for path in paths)


def _parents(path: str) -> Iterator[str]:
    """Yield the directories that a path is in, the outermost first."""
    at = path.find("/")
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)
