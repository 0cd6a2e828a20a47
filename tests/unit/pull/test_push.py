# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.pull.errors import PushRefused
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_archive import ArchiveTarget
from ostrya.repo.errors import BindingMismatch, RefNotFound
from ostrya.repo.ref_writer import store_ref
from support.pushing import memory_bucket, read_all, refs_of
from support.small_repos import commit_files


@pytest.fixture
def files():
    return memory_bucket()


@pytest.fixture
def line(repo, tmp_path):
    """Two commits after each other, and one that has nothing to do with them."""
    first = commit_files(repo, tmp_path, {"a": "1"}, ref="first")
    second = commit_files(repo, tmp_path, {"a": "2"}, ref="second", parent=first, timestamp=2)
    other = commit_files(repo, tmp_path, {"a": "3"}, ref="other", timestamp=3)
    return first, second, other


def set_main(repo, checksum) -> None:
    store_ref(repo, None, "main", checksum)


def test_what_becomes_of_refs(repo, files, line):
    first, second, other = line
    changes = []
    for checksum, force in ((first, False), (second, False), (second, True), (other, True)):
        set_main(repo, checksum)
        result = push(repo, ArchiveTarget(files), ["main"], PushOptions(force=force))
        changes.append(result.refs[0].change)
        assert refs_of(read_all(files)) == {"main": checksum}
    assert changes == ["new", "fast-forward", "unchanged", "forced"]


@pytest.mark.parametrize("back", [0, 2], ids=["behind", "elsewhere"])
def test_commits_are_not_lost_unless_told_to(repo, files, line, back):
    set_main(repo, line[1])
    push(repo, ArchiveTarget(files), ["main"])
    before = read_all(files)
    set_main(repo, line[back])
    with pytest.raises(PushRefused, match="which is no ancestor of") as raised:
        push(repo, ArchiveTarget(files), ["main", "other"])
    assert "--force" in raised.value.hint
    # Nothing was sent, of other refs neither.
    assert read_all(files) == before


def test_many_refs_and_their_parents(repo, files, line):
    result = push(repo, ArchiveTarget(files), ["second", "other"], PushOptions(depth=-1))
    assert len([path for path in files.list("objects") if path.endswith(".commit")]) == 3
    assert [ref.ref for ref in result.refs] == ["second", "other"]


def test_a_ref_of_a_remote_is_pushed_under_its_own_name(repo, files, line):
    store_ref(repo, "origin", "pulled", line[0])
    push(repo, ArchiveTarget(files), ["origin:pulled"])
    assert refs_of(read_all(files)) == {"pulled": line[0]}


def test_refs_that_are_not_here(repo, files, line):
    with pytest.raises(RefNotFound):
        push(repo, ArchiveTarget(files), ["nothing"])
    store_ref(repo, "origin", "first", line[1])
    with pytest.raises(PushRefused, match="named twice"):
        push(repo, ArchiveTarget(files), ["first", "origin:first"])
    assert not read_all(files)


def test_bindings(repo, files, line, monkeypatch):
    def refuse(*_args):
        raise BindingMismatch("belongs elsewhere")

    monkeypatch.setattr("ostrya.pull.push.check_bindings", refuse)
    with pytest.raises(BindingMismatch):
        push(repo, ArchiveTarget(files), ["first"])
    push(repo, ArchiveTarget(files), ["first"], PushOptions(verify_bindings=False))


def test_the_target_is_closed(repo, files, line):
    target = ArchiveTarget(files)
    closed = []
    target.close = lambda: closed.append(1)
    push(repo, target, ["first"])
    with pytest.raises(RefNotFound):
        push(repo, target, ["nothing"])
    assert closed == [1, 1]
