# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ostrya.errors import FormatError
from ostrya.formats.commit import Commit
from ostrya.formats.delta_name import DeltaName, delta_dir
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import CollectionRef
from ostrya.repo import prune as prune_module
from ostrya.repo import traverse
from ostrya.repo.delta_files import list_deltas
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.errors import ObjectNotFound, RefConflict, RefNotFound, RepoLocked
from ostrya.repo.fsck import fsck
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import is_partial, mark_partial
from ostrya.repo.prune import delete_commit, prune, prune_branches, prune_deltas
from ostrya.repo.reader import has_object, load_commit
from ostrya.repo.ref_writer import write_collection_ref, write_ref
from ostrya.repo.transaction import Transaction
from support.small_repos import (
    WRITABLE_MODES,
    commit_files,
    configure,
    make_repo,
    names_of,
    object_path,
    reopen,
)


def history(repo, tmp_path, ref: str, length: int, *, start: int = 1000) -> list[str]:
    """Commits of one branch, oldest first, a hundred seconds apart."""
    found = []
    for number in range(length):
        parent = found[-1] if found else None
        files = {"f": f"{ref} {number}", "shared": "shared"}
        found.append(
            commit_files(
                repo, tmp_path, files, ref=ref, parent=parent, timestamp=start + 100 * number
            )
        )
    return found


def commits(repo) -> set[str]:
    return {name.checksum for name in names_of(repo, ObjectType.COMMIT)}


@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
def test_content_of_another_mode_is_left_alone(tmp_path, mode):
    """It is no object here, and libostree does not see it either."""
    with make_repo(tmp_path / "repo", mode) as repo:
        commit_files(repo, tmp_path, {"f": "1"})
        suffix = "file" if mode == RepoMode.ARCHIVE else "filez"
        stray = Path(repo.path) / "objects/ab" / f"{'c' * 62}.{suffix}"
        stray.parent.mkdir(exist_ok=True)
        stray.touch()
        for refs_only in (True, False):
            assert prune(repo, refs_only=refs_only).pruned == 0
        assert stray.exists()


@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
def test_what_no_ref_reaches_goes_and_the_rest_is_sound(tmp_path, mode):
    with make_repo(tmp_path / "repo", mode) as repo:
        kept = commit_files(repo, tmp_path, {"f": "1", "shared": "s"}, ref="kept")
        before = names_of(repo)
        commit_files(repo, tmp_path, {"d/f": "2", "shared": "s"}, ref=None)
        extra = names_of(repo) - before
        sizes = sum(object_path(repo, name).lstat().st_size for name in extra)
        result = prune(repo, refs_only=True)
        assert names_of(repo) == before
        assert result == (len(before) + len(extra), len(extra), sizes)
        assert commits(repo) == {kept}
        fsck(repo, jobs=1)


def test_without_refs_only_every_commit_counts(repo, tmp_path):
    commit_files(repo, tmp_path, {"f": "1"}, ref=None)
    before = names_of(repo)
    assert prune(repo).pruned == 0
    assert names_of(repo) == before


@pytest.mark.parametrize(("depth", "left"), [(-1, 4), (0, 1), (1, 2), (9, 4)])
def test_depth(repo, tmp_path, depth, left):
    line = history(repo, tmp_path, "main", 4)
    prune(repo, refs_only=True, depth=depth)
    assert commits(repo) == set(line[-left:])
    fsck(repo, jobs=1)


def test_dry_run_tells_and_deletes_nothing(repo, tmp_path):
    history(repo, tmp_path, "main", 3)
    before = names_of(repo)
    told = prune(repo, refs_only=True, depth=0, dry_run=True)
    assert names_of(repo) == before
    assert prune(repo, refs_only=True, depth=0) == told
    assert told.pruned > 0


def test_commits_only_leaves_what_they_held(repo, tmp_path):
    history(repo, tmp_path, "main", 3)
    files = names_of(repo, ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.DIR_META)
    assert prune(repo, refs_only=True, depth=0, commits_only=True).pruned == 2
    assert files <= names_of(repo)


def test_collections_of_our_own_and_mirrored_count_as_refs(tmp_path):
    with make_repo(tmp_path / "repo", collection_id="org.example.Own") as repo:
        mirrored = commit_files(repo, tmp_path, {"f": "m"}, ref=None)
        write_collection_ref(repo, CollectionRef("org.example.Other", "x"), mirrored)
        own = commit_files(repo, tmp_path, {"f": "o"}, ref="own")
        prune(repo, refs_only=True)
        assert commits(repo) == {mirrored, own}


def test_refs_of_remotes_count(repo, tmp_path):
    checksum = commit_files(repo, tmp_path, {"f": "1"}, ref=None)
    write_ref(repo, "origin", "main", checksum)
    prune(repo, refs_only=True)
    assert commits(repo) == {checksum}


class TestBranches:
    def test_younger_than_keeps_tips_too(self, repo, tmp_path):
        new = history(repo, tmp_path, "new", 4, start=10_000)
        old = history(repo, tmp_path, "old", 3, start=1000)
        prune_branches(repo, keep_since=10_200)
        assert commits(repo) == {*new[2:], old[-1]}
        fsck(repo, jobs=1)

    def test_a_time_before_all_keeps_all(self, repo, tmp_path):
        line = history(repo, tmp_path, "main", 3)
        prune_branches(repo, keep_since=0)
        assert commits(repo) == set(line)

    def test_depth_by_branch(self, repo, tmp_path):
        one = history(repo, tmp_path, "one", 3)
        two = history(repo, tmp_path, "two", 3)
        prune_branches(repo, depth=0, branch_depths={"two": 1})
        assert commits(repo) == {one[-1], *two[-2:]}

    def test_a_depth_wins_over_an_age(self, repo, tmp_path):
        one = history(repo, tmp_path, "one", 3)
        two = history(repo, tmp_path, "two", 3)
        prune_branches(repo, keep_since=10**9, branch_depths={"two": -1})
        assert commits(repo) == {one[-1], *two}

    def test_only_some(self, repo, tmp_path):
        one = history(repo, tmp_path, "one", 3)
        two = history(repo, tmp_path, "two", 3)
        three = history(repo, tmp_path, "three", 3)
        prune_branches(repo, depth=0, only_branches=["one"], branch_depths={"three": 1})
        assert commits(repo) == {one[-1], *two, *three[-2:]}

    @pytest.mark.parametrize(
        ("rules", "left"),
        [
            ({"keep_since": 1050}, 2),
            ({"keep_since": 10**9}, 1),
            ({"depth": 1}, 2),
            ({"depth": 0, "branch_depths": {"one": 0}}, 1),
            ({"depth": 0, "only_branches": ["one"]}, 3),
        ],
    )
    def test_mirrored_refs_are_branches_too(self, tmp_path, rules, left):
        with make_repo(tmp_path / "repo", collection_id="org.example.Own") as repo:
            one = history(repo, tmp_path, "one", 1, start=10_000)
            mirrored = history(repo, tmp_path, "x", 3)
            write_ref(repo, None, "x", None)
            write_collection_ref(repo, CollectionRef("org.example.Other", "x"), mirrored[-1])
            prune_branches(repo, **rules)
            assert commits(repo) == {*one, *mirrored[-left:]}
            fsck(repo, jobs=1)

    def test_refs_of_our_own_collection_keep_their_rules(self, tmp_path):
        with make_repo(tmp_path / "repo", collection_id="org.example.Own") as repo:
            one = history(repo, tmp_path, "one", 3)
            prune_branches(repo, branch_depths={"one": 0})
            assert commits(repo) == {one[-1]}

    def test_one_that_is_not_there(self, repo, tmp_path):
        history(repo, tmp_path, "one", 2)
        before = names_of(repo)
        with pytest.raises(RefNotFound, match="nowhere"):
            prune_branches(repo, depth=0, only_branches=["nowhere"])
        assert names_of(repo) == before

    def test_history_that_is_cut_off(self, repo, tmp_path):
        line = history(repo, tmp_path, "main", 4)
        object_path(repo, ObjectName(line[1], ObjectType.COMMIT)).unlink()
        prune_branches(repo, keep_since=0)
        # What lies before the hole is reached by nothing.
        assert commits(repo) == set(line[2:])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", [prune, prune_branches])
def test_a_loop_of_parents_ends(repo, tmp_path, run):
    """Only damaged or hostile commits can name each other as parents."""
    one = commit_files(repo, tmp_path, {"f": "1"}, timestamp=2000)
    two = commit_files(repo, tmp_path, {"f": "2"}, timestamp=2000)
    for checksum, parent in ((one, two), (two, one)):
        commit = load_commit(repo, checksum)._replace(parent=parent)
        object_path(repo, ObjectName(checksum, ObjectType.COMMIT)).write_bytes(commit.encode())
    options = {"keep_since": 0} if run is prune_branches else {}
    run(repo, **options)
    assert commits(repo) == {one, two}


def test_a_damaged_commit_that_is_to_be_kept_stops_it_before_anything_is_deleted(repo, tmp_path):
    kept = commit_files(repo, tmp_path, {"f": "1"})
    commit_files(repo, tmp_path, {"f": "2"}, ref=None)
    object_path(repo, ObjectName(kept, ObjectType.COMMIT)).write_bytes(b"damaged")
    before = names_of(repo)
    with pytest.raises(FormatError, match=kept):
        prune(repo, refs_only=True)
    assert names_of(repo) == before


def test_so_does_a_missing_directory(repo, tmp_path):
    kept = commit_files(repo, tmp_path, {"f": "1"})
    commit_files(repo, tmp_path, {"f": "2"}, ref=None)
    root = load_commit(repo, kept).root_contents
    object_path(repo, ObjectName(root, ObjectType.DIR_TREE)).unlink()
    before = names_of(repo)
    with pytest.raises(ObjectNotFound, match=root):
        prune(repo, refs_only=True)
    assert names_of(repo) == before
    mark_partial(repo, kept)
    prune(repo, refs_only=True)
    assert commits(repo) == {kept}


def test_commits_go_first_and_durably(repo, tmp_path, monkeypatch):
    """Killed anywhere, what is left of the repository is sound."""
    history(repo, tmp_path, "main", 3)
    configure(repo, fsync="true")
    deleted = []
    real = prune_module.delete_object

    def delete(the_repo, name):
        deleted.append(name.type)
        real(the_repo, name)

    monkeypatch.setattr(prune_module, "delete_object", delete)
    monkeypatch.setattr(prune_module, "_make_durable", lambda _repo: deleted.append("sync"))
    prune(repo, refs_only=True, depth=0)
    order = [ObjectType.COMMIT, "sync", ObjectType.DIR_TREE, ObjectType.FILE]
    assert [kind for at, kind in enumerate(deleted) if kind not in deleted[:at]] == order


def test_killed_after_any_deletion_it_is_sound(tmp_path, monkeypatch):
    real = prune_module.delete_object
    for stop in range(1, 8):
        with make_repo(tmp_path / f"repo{stop}") as repo:
            history(repo, tmp_path, "main", 3)
            left = [stop]

            def delete(the_repo, name, left=left):
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
                real(the_repo, name)

            monkeypatch.setattr(prune_module, "delete_object", delete)
            try:
                prune(repo, refs_only=True, depth=0)
            except KeyboardInterrupt:
                assert fsck(repo, jobs=1).partial == 0


def test_what_belongs_to_a_commit_goes_with_it(repo, tmp_path):
    line = history(repo, tmp_path, "main", 2)
    for checksum in line:
        write_detached(repo, checksum, VarDict.of({"k": Variant("s", "v")}))
        mark_partial(repo, checksum)
    prune(repo, refs_only=True, depth=0)
    assert read_detached(repo, line[0]) is None
    assert not is_partial(repo, line[0])
    assert read_detached(repo, line[1]) is not None
    assert is_partial(repo, line[1])


def test_tombstones_where_configured(repo, tmp_path):
    line = history(repo, tmp_path, "main", 2)
    configure(repo, tombstone_commits="true")
    prune(repo, refs_only=True, depth=0)
    assert has_object(repo, ObjectName(line[0], ObjectType.TOMBSTONE_COMMIT))
    # They stay: somebody may still ask for what they stand for.
    prune(repo, refs_only=True, depth=0)
    assert has_object(repo, ObjectName(line[0], ObjectType.TOMBSTONE_COMMIT))


def make_delta(repo, name: DeltaName) -> None:
    folder = Path(repo.path) / delta_dir(name)
    folder.mkdir(parents=True)
    (folder / "superblock").write_bytes(b"")
    (folder / "0").write_bytes(b"part")


def test_deltas_go_with_the_commit_they_lead_to(repo, tmp_path):
    line = history(repo, tmp_path, "main", 2)
    to_old, to_new = DeltaName(line[0], None), DeltaName(line[1], line[0])
    make_delta(repo, to_old)
    make_delta(repo, to_new)
    prune(repo, refs_only=True, depth=0)
    assert list_deltas(repo) == [to_new]
    assert prune_deltas(repo, to=line[1]) == 1
    assert list_deltas(repo) == []


def test_cached_summaries_of_remotes_that_are_gone(repo):
    keyfile = repo.config.keyfile
    keyfile.set_value('remote "here"', "url", "file:///nowhere")
    folder = Path(repo.path) / "tmp/cache/summaries"
    folder.mkdir()
    for name in ("here", "here.sig", "gone", "gone.sig"):
        (folder / name).touch()
    prune(repo)
    assert sorted(os.listdir(folder)) == ["here", "here.sig"]


def test_a_writer_keeps_it_out(tmp_path):
    with make_repo(tmp_path / "repo", lock_timeout_secs=0) as repo, reopen(repo) as other:
        with other.lock.hold(exclusive=False), pytest.raises(RepoLocked):
            prune(repo)
        prune(repo)


def test_long_histories_are_walked_once(repo, tmp_path, monkeypatch):
    """Not once from every commit of them."""
    tip = commit_files(repo, tmp_path, {"f": "1"}, ref=None)
    template = load_commit(repo, tip)
    with Transaction(repo) as tx:
        for number in range(60):
            commit = Commit(*template)._replace(parent=tip, timestamp=number)
            tip = tx.writer.write_metadata(ObjectType.COMMIT, commit.encode())
        tx.set_ref(None, "main", tip)
        tx.commit()
    loads = []
    real = traverse.load_commit

    def load(the_repo, checksum):
        loads.append(checksum)
        return real(the_repo, checksum)

    monkeypatch.setattr(traverse, "load_commit", load)
    prune(repo)
    assert len(commits(repo)) == 61
    assert len(loads) == 61


class TestDeleteCommit:
    def test_one_that_a_ref_points_to_is_kept(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"f": "1"})
        with pytest.raises(RefConflict, match=f"Commit '{checksum}' is referenced by 'main'"):
            delete_commit(repo, checksum)
        assert commits(repo) == {checksum}

    def test_one_of_a_collection_too(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"f": "1"}, ref=None)
        write_collection_ref(repo, CollectionRef("org.example.X", "r"), checksum)
        with pytest.raises(RefConflict, match=r"referenced by \(org\.example\.X, r\)"):
            delete_commit(repo, checksum)

    def test_a_tombstone_is_left(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"f": "1"}, ref=None)
        delete_commit(repo, checksum)
        assert has_object(repo, ObjectName(checksum, ObjectType.TOMBSTONE_COMMIT))
        with reopen(repo) as other:
            assert other.config.tombstone_commits

    def test_one_that_is_not_there(self, repo):
        with pytest.raises(ObjectNotFound):
            delete_commit(repo, "ab" * 32)


class TestPayloadLinks:
    @pytest.fixture
    def repo(self, tmp_path):
        with make_repo(tmp_path / "repo", RepoMode.BARE, payload_link_threshold=10) as repo:
            yield repo

    def link(self, repo, target: str) -> ObjectName:
        name = ObjectName("cd" * 32, ObjectType.PAYLOAD_LINK)
        path = object_path(repo, name)
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)
        return name

    def test_to_a_kept_object_they_stay(self, repo, tmp_path):
        commit_files(repo, tmp_path, {"f": "1" * 100})
        (file,) = names_of(repo, ObjectType.FILE)
        name = self.link(repo, f"../{file.checksum[:2]}/{file.checksum[2:]}.file")
        prune(repo, refs_only=True)
        assert name in names_of(repo)

    def test_to_a_small_object_they_go(self, repo, tmp_path):
        commit_files(repo, tmp_path, {"f": "1"})
        (file,) = names_of(repo, ObjectType.FILE)
        name = self.link(repo, f"../{file.checksum[:2]}/{file.checksum[2:]}.file")
        prune(repo, refs_only=True)
        assert name not in names_of(repo)

    @pytest.mark.parametrize("target", ["../ab/" + "c" * 62 + ".file", "odd", "/etc/passwd"])
    def test_to_nothing_they_go(self, repo, target):
        name = self.link(repo, target)
        prune(repo, refs_only=True)
        assert name not in names_of(repo)
        assert os.path.exists("/etc/passwd")

    def test_to_an_object_that_is_kept_by_name_and_missing(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"f": "1" * 100})
        (file,) = names_of(repo, ObjectType.FILE)
        name = self.link(repo, f"../{file.checksum[:2]}/{file.checksum[2:]}.file")
        object_path(repo, file).unlink()
        mark_partial(repo, checksum)
        prune(repo, refs_only=True)
        assert name not in names_of(repo)

    def test_what_is_no_link(self, repo):
        name = ObjectName("cd" * 32, ObjectType.PAYLOAD_LINK)
        object_path(repo, name).parent.mkdir()
        object_path(repo, name).touch()
        prune(repo, refs_only=True)
        assert name not in names_of(repo)


def test_the_clock_plays_no_part(repo, tmp_path, monkeypatch):
    """Ages are given as times, so a wrong clock deletes nothing by itself."""
    line = history(repo, tmp_path, "main", 3)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    prune_branches(repo, keep_since=0)
    assert commits(repo) == set(line)
