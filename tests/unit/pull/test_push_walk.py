# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.errors import PushRefused
from ostrya.pull.push_walk import find_shipment, is_ancestor
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.partial import mark_partial
from support.small_repos import commit_files, names_of, object_path


@pytest.fixture
def line(repo, tmp_path):
    """Three generations of commits."""
    found, parent = [], None
    for number in range(3):
        files = {"same": "same", "own": str(number)}
        parent = commit_files(repo, tmp_path, files, parent=parent, timestamp=number)
        found.append(parent)
    return found


def nothing_there(_checksum) -> bool:
    return False


def test_all_of_one_commit(repo, line):
    found = find_shipment(repo, [line[2]], nothing_there)
    assert found.commits == (line[2],)
    assert found.known == ()
    assert (len(found.metadata), len(found.content)) == (2, 2)
    assert found.total == 5
    assert not found.with_sizes


def test_parents_come_first(repo, line):
    found = find_shipment(repo, [line[2]], nothing_there, depth=-1)
    assert found.commits == tuple(line)
    assert found.total == len(names_of(repo))
    assert find_shipment(repo, [line[2]], nothing_there, depth=1).commits == tuple(line[1:])


@pytest.mark.parametrize("order", [(0, 2), (2, 0), (1, 2, 0)])
def test_parents_come_first_in_whatever_order_they_are_named(repo, line, order):
    found = find_shipment(repo, [line[n] for n in order], nothing_there, depth=-1)
    assert found.commits == tuple(line)


def test_what_is_there_is_not_asked_for(repo, line):
    found = find_shipment(repo, [line[2]], line[:2].__contains__, common=[line[1]])
    assert found.commits == (line[2],)
    # A root and a file are new.
    assert (len(found.metadata), len(found.content)) == (1, 1)
    again = find_shipment(repo, line, lambda _checksum: True)
    assert (again.commits, again.known, again.total) == ((), tuple(line), 0)


def test_common_commits_that_are_not_here_say_nothing(repo, line):
    assert find_shipment(repo, [line[2]], nothing_there, common=["0" * 64]).total == 5


def test_history_that_was_cut_off_ends(repo, line):
    object_path(repo, ObjectName(line[0], ObjectType.COMMIT)).unlink()
    assert find_shipment(repo, [line[2]], nothing_there, depth=-1).commits == tuple(line[1:])
    mark_partial(repo, line[1])
    assert find_shipment(repo, [line[2]], nothing_there, depth=-1).commits == (line[2],)


def test_an_incomplete_tip_is_refused(repo, line):
    mark_partial(repo, line[2])
    with pytest.raises(PushRefused, match="is incomplete in"):
        find_shipment(repo, [line[2]], nothing_there)


def test_a_missing_directory_is_missed(repo, line):
    for name in names_of(repo, ObjectType.DIR_TREE):
        object_path(repo, name).unlink()
    with pytest.raises(ObjectNotFound):
        find_shipment(repo, [line[2]], nothing_there)
    with pytest.raises(ObjectNotFound):
        find_shipment(repo, ["0" * 64], nothing_there)


def test_ancestors(repo, line):
    assert is_ancestor(repo, line[0], line[2])
    assert is_ancestor(repo, line[2], line[2])
    assert not is_ancestor(repo, line[2], line[0])
    assert not is_ancestor(repo, "0" * 64, line[2])
    object_path(repo, ObjectName(line[1], ObjectType.COMMIT)).unlink()
    assert not is_ancestor(repo, line[0], line[2])
