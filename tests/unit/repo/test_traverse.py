# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.object_name import ObjectName, ObjectNameSet, ObjectType
from ostrya.repo import traverse
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.partial import mark_partial
from ostrya.repo.reader import load_commit
from support.small_repos import commit_files, names_of, object_path


@pytest.fixture
def line(repo, tmp_path) -> list[str]:
    found: list[str] = []
    for number in range(4):
        parent = found[-1] if found else None
        found.append(commit_files(repo, tmp_path, {"d/f": str(number), "s": "s"}, parent=parent))
    return found


def commits(names) -> set[str]:
    return {name.checksum for name in names if name.type == ObjectType.COMMIT}


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 2), (3, 4), (9, 4), (-1, 4)])
def test_generations(repo, line, depth, count):
    assert commits(traverse.reachable_objects(repo, [line[-1]], depth=depth)) == set(line[-count:])


def test_everything_is_reached(repo, line):
    assert set(traverse.reachable_objects(repo, [line[-1]], depth=-1)) == names_of(repo)


@pytest.mark.parametrize("starts", [[3, 1], [1, 3], [0, 1, 2, 3], [3, 2, 1, 0]])
def test_whichever_comes_first_the_longer_reach_counts(repo, line, starts):
    found = traverse.reachable_objects(repo, [line[at] for at in starts], depth=1)
    wanted = {line[reached] for at in starts for reached in (at, max(at - 1, 0))}
    assert commits(found) == wanted


def test_commits_only(repo, line):
    found = traverse.reachable_objects(repo, line, commits_only=True)
    assert set(found) == names_of(repo, ObjectType.COMMIT)


def test_into_a_set_that_has_some(repo, line):
    found = ObjectNameSet()
    assert traverse.reachable_objects(repo, [line[0]], into=found) is found
    traverse.reachable_objects(repo, [line[1]], into=found)
    assert commits(found) == set(line[:2])


def test_a_missing_directory_is_told_unless_the_commit_is_partial(repo, line):
    root = load_commit(repo, line[-1]).root_contents
    object_path(repo, ObjectName(root, ObjectType.DIR_TREE)).unlink()
    with pytest.raises(ObjectNotFound, match=root):
        traverse.reachable_objects(repo, [line[-1]])
    problems = []
    traverse.reachable_objects(
        repo, [line[-1]], on_problem=lambda name, _error: problems.append(name)
    )
    assert problems == [ObjectName(root, ObjectType.DIR_TREE)]
    mark_partial(repo, line[-1])
    traverse.reachable_objects(repo, [line[-1]])


def test_who_holds_what(repo, line, tmp_path):
    other = commit_files(repo, tmp_path, {"x/a/f": "x", "y/a/f": "x", "z/f": "x"}, ref="other")
    commits = [other, *line]
    names = names_of(repo)
    holders = traverse.Holders(repo, commits, names)
    for name in names:
        wanted = [c for c in commits if name in traverse.reachable_objects(repo, [c])]
        assert holders.of(name) == wanted


def test_who_holds_what_is_missing(repo, line):
    names = {n for n in names_of(repo) if n.type != ObjectType.COMMIT}
    before = traverse.Holders(repo, line, names)
    root = load_commit(repo, line[0]).root_contents
    object_path(repo, ObjectName(root, ObjectType.DIR_TREE)).unlink()
    object_path(repo, ObjectName(line[1], ObjectType.COMMIT)).write_bytes(b"damaged")
    after = traverse.Holders(repo, line, [*names, ObjectName(line[1], ObjectType.COMMIT)])
    assert after.of(ObjectName(line[1], ObjectType.COMMIT)) == [line[1]]
    assert after.of(ObjectName(root, ObjectType.DIR_TREE)) == [line[0]]
    for name in names:
        assert set(after.of(name)) <= set(before.of(name))


def test_who_holds_what_reads_each_directory_once(repo, line, monkeypatch):
    read = []
    real = traverse.load_dirtree
    monkeypatch.setattr(
        traverse, "load_dirtree", lambda r, checksum: read.append(checksum) or real(r, checksum)
    )
    traverse.Holders(repo, line, names_of(repo))
    assert len(read) == len(names_of(repo, ObjectType.DIR_TREE))
