# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sysroot.etc_plan import EtcChange, Kind, Outcome, plan_merge
from ostrya.tree.diff import TreeDiff

FILE, DIR, LINK, PIPE, NO = Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.OTHER, Kind.ABSENT


def plan(diff: TreeDiff, mine: dict[str, Kind], default: dict[str, Kind]) -> list[EtcChange]:
    return list(
        plan_merge(diff, lambda path: mine.get(path, NO), lambda path: default.get(path, NO))
    )


@pytest.mark.parametrize(
    ("mine", "default", "outcome"),
    [
        (FILE, FILE, Outcome.KEPT),
        (FILE, NO, Outcome.KEPT),
        (FILE, LINK, Outcome.KEPT),
        (FILE, DIR, Outcome.CONFLICT),
        (LINK, DIR, Outcome.CONFLICT),
        (DIR, FILE, Outcome.KEPT),
        (DIR, NO, Outcome.KEPT),
        (DIR, DIR, Outcome.IGNORED),
        (PIPE, FILE, Outcome.IGNORED),
        (PIPE, DIR, Outcome.CONFLICT),
    ],
)
@pytest.mark.parametrize("change", ["modified", "added"])
def test_one_change(change, mine, default, outcome):
    diff = TreeDiff(
        modified=("/x",) if change == "modified" else (),
        removed=(),
        added=("/x",) if change == "added" else (),
    )
    blocker = "x" if outcome is Outcome.CONFLICT else ""
    found = plan(diff, {"x": mine}, {"x": default})
    assert found == [EtcChange("x", change, outcome, mine, default, blocker)]


def test_order():
    diff = TreeDiff(modified=("/m",), removed=("/r",), added=("/a",))
    assert [change.path for change in plan(diff, {"m": FILE, "a": FILE}, {})] == ["r", "m", "a"]


def test_what_comes_with_its_directory_is_not_said_again():
    diff = TreeDiff(modified=(), removed=(), added=("/d", "/d/e", "/d/e/x", "/dx"))
    mine = {"d": DIR, "d/e": DIR, "d/e/x": FILE, "dx": FILE}
    assert [change.path for change in plan(diff, mine, {})] == ["d", "dx"]
    # Where the new default has the directory, each file is looked at.
    found = plan(diff, mine, {"d": DIR})
    assert [(change.path, change.outcome) for change in found] == [
        ("d", Outcome.IGNORED), ("d/e", Outcome.KEPT), ("dx", Outcome.KEPT),
    ]  # fmt: skip


def test_parents_in_the_way():
    diff = TreeDiff(modified=("/a/b/c",), removed=("/a/b/d",), added=())
    found = plan(diff, {"a/b/c": FILE}, {"a": DIR, "a/b": LINK})
    assert [(change.outcome, change.blocker) for change in found] == [
        (Outcome.DELETED, ""), (Outcome.CONFLICT, "a/b"),
    ]  # fmt: skip
