# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.errors import FormatError, RepoError
from ostrya.formats.refs import CollectionRef
from ostrya.repo import refs
from ostrya.repo.errors import RefConflict, RefNotFound
from ostrya.repo.ref_writer import write_alias, write_collection_ref, write_ref
from ostrya.repo.repository import open_repository
from support.small_repos import commit_files, configure, make_repo

A, B = "a" * 64, "b" * 64


@pytest.fixture
def heads(repo) -> Path:
    return Path(repo.path) / "refs/heads"


class TestResolve:
    def test_kinds_of_revs(self, repo, tmp_path):
        one = commit_files(repo, tmp_path, {"f": "1"})
        two = commit_files(repo, tmp_path, {"f": "2"}, parent=one)
        write_ref(repo, "origin", "far/away", one)
        for rev, wanted in {
            "main": two, "main^": one, f"{two}^": one, two: two, two[:10]: two, f"{two[:10]}^": one,
            "origin:far/away": one, "origin/far/away": one, "far/away": one,
        }.items():  # fmt: skip
            assert refs.resolve_rev(repo, rev) == wanted, rev

    def test_a_checksum_needs_no_object(self, repo):
        assert refs.resolve_rev(repo, A) == A

    def test_remotes_only_when_wanted(self, repo):
        write_ref(repo, "origin", "x", A)
        with pytest.raises(RefNotFound):
            refs.resolve_rev(repo, "x", search_remotes=False)
        assert refs.resolve_rev(repo, "x^", allow_noent=True, search_remotes=False) is None

    def test_our_own_before_those_of_remotes(self, repo):
        write_ref(repo, "origin", "x", A)
        write_ref(repo, None, "x", B)
        assert refs.resolve_rev(repo, "x") == B

    def test_not_found(self, repo):
        for rev in ("nothing", "origin:nothing", "nothing^"):
            with pytest.raises(RefNotFound, match=f"Refspec '{rev.rstrip('^')}' not found"):
                refs.resolve_rev(repo, rev)
            assert refs.resolve_rev(repo, rev, allow_noent=True) is None

    def test_points_to(self, repo, heads):
        write_ref(repo, "origin", "x", A)
        write_ref(repo, None, "y/z", B)
        assert refs.points_to(repo, "origin", "x", A)
        assert refs.points_to(repo, None, "y/z", B)
        assert not refs.points_to(repo, "origin", "x", B)
        for remote, ref in [(None, "x"), ("origin", "y/z"), ("other", "x"), (None, "y")]:
            assert not refs.points_to(repo, remote, ref, A)
        (heads / "bad").write_text("what")
        assert not refs.points_to(repo, None, "bad", A)

    @pytest.mark.parametrize(("remote", "ref"), [(None, "../x"), ("..", "heads/x")])
    def test_points_to_looks_nowhere_else(self, repo, remote, ref):
        write_ref(repo, None, "x", A)
        with pytest.raises(FormatError):
            refs.points_to(repo, remote, ref, A)

    def test_a_parent_s_refs_are_not_the_repository_s_own(self, tmp_path):
        with make_repo(tmp_path / "parent") as parent, make_repo(tmp_path / "child") as child:
            write_ref(parent, None, "main", A)
            configure(child, parent=parent.path)
        with open_repository(tmp_path / "child") as child:
            assert refs.resolve_ref(child, None, "main") == A
            assert not refs.points_to(child, None, "main", A)

    def test_no_parent(self, repo, tmp_path):
        one = commit_files(repo, tmp_path, {"f": "1"})
        with pytest.raises(RefConflict, match=f"Commit {one} has no parent"):
            refs.resolve_rev(repo, "main^")

    def test_more_steps_than_python_recurses(self, repo, tmp_path):
        one = commit_files(repo, tmp_path, {"f": "1"})
        commit_files(repo, tmp_path, {"f": "2"}, parent=one)
        with pytest.raises(RefConflict, match=f"Commit {one} has no parent"):
            refs.resolve_rev(repo, "main" + "^" * 5000)

    @pytest.mark.parametrize("rev", ["", "^", "a//b", "../x", "a:b:c", "-x", "\n"])
    def test_what_is_no_rev(self, repo, rev):
        with pytest.raises((FormatError, RepoError)):
            refs.resolve_rev(repo, rev)

    def test_a_short_one_that_fits_several(self, repo, monkeypatch):
        monkeypatch.setattr(refs, "iter_commits", lambda _repo, **_beginning: [A, B])
        with pytest.raises(RefConflict, match="Refspec ab not unique"):
            refs.resolve_rev(repo, "ab")

    def test_in_a_parent_repository(self, repo, tmp_path):
        write_ref(repo, None, "x", A)
        with make_repo(tmp_path / "above") as above:
            configure(above, parent=repo.path)
        with open_repository(str(tmp_path / "above")) as above:
            assert refs.resolve_rev(above, "x") == A
            assert refs.list_refs(above) == {}


class TestBadFiles:
    @pytest.mark.parametrize("content", [b"", b"\n", b"x" * 64, b"a" * 63, b"a" * 65, b"\xff" * 64])
    def test_what_holds_no_checksum(self, repo, heads, content):
        (heads / "bad").write_bytes(content)
        with pytest.raises(FormatError):
            refs.resolve_rev(repo, "bad")
        with pytest.raises(FormatError):
            refs.list_refs(repo)

    def test_a_loop_of_links(self, repo, heads):
        (heads / "loop").symlink_to("loop")
        with pytest.raises(OSError, match="symbolic links"):
            refs.resolve_rev(repo, "loop")

    def test_a_directory(self, repo, heads):
        (heads / "dir").mkdir()
        with pytest.raises(IsADirectoryError, match="Couldn't open ref 'dir'"):
            refs.resolve_rev(repo, "dir")
        assert refs.list_refs(repo) == {}

    @pytest.mark.timeout(10)
    def test_a_pipe_does_not_stop_us(self, repo, heads):
        os.mkfifo(heads / "pipe")
        with pytest.raises(FormatError):
            refs.resolve_rev(repo, "pipe")

    def test_files_of_other_tools_are_passed_over(self, repo, heads):
        write_ref(repo, None, "x", A)
        (heads / ".hidden").write_bytes(b"nothing")
        (heads / "with space").write_bytes(b"nothing")
        assert refs.list_refs(repo) == {"x": A}

    def test_directories_without_end(self, repo, heads):
        (heads / ("d/" * 70)).mkdir(parents=True)
        with pytest.raises(RefConflict, match="deeper than 64"):
            refs.list_refs(repo)

    def test_a_directory_of_refs_that_is_gone_is_not_one_without_refs(self, repo, heads):
        heads.rmdir()
        with pytest.raises(RefConflict, match=r"opendir\(refs/heads\)"):
            refs.list_refs(repo)


class TestList:
    @pytest.fixture(autouse=True)
    def some(self, repo):
        for remote, ref in ((None, "a"), (None, "d/b"), (None, "d/e/c"), ("origin", "d/x")):
            write_ref(repo, remote, ref, A)
        write_alias(repo, "d/alias", "a")

    def test_all(self, repo):
        assert list(refs.list_refs(repo)) == ["a", "d/alias", "d/b", "d/e/c", "origin:d/x"]
        assert "origin:d/x" not in refs.list_refs(repo, include_remotes=False)

    @pytest.mark.parametrize(
        ("prefix", "names"),
        [
            ("d", {"d/alias", "d/b", "d/e/c"}),
            ("d/e", {"d/e/c"}),
            ("a", {"a"}),
            ("origin:", {"origin:d/x"}),
            ("origin:d", {"origin:d/x"}),
            ("nothing", set()),
            ("a/below", set()),
        ],
    )
    def test_below_a_prefix(self, repo, prefix, names):
        assert set(refs.list_refs(repo, prefix)) == names

    def test_without_the_prefix(self, repo):
        assert set(refs.list_refs(repo, "d", cut_prefix=True)) == {"alias", "b", "e/c"}

    def test_aliases(self, repo):
        assert refs.list_aliases(repo) == {"d/alias": "a"}


class TestCollections:
    @pytest.fixture
    def repo(self, tmp_path):
        with make_repo(tmp_path / "repo", collection_id="org.example.Own") as repo:
            keyfile = repo.config.keyfile
            keyfile.set_value('remote "far"', "collection-id", "org.example.Far")
            write_ref(repo, None, "own", A)
            write_ref(repo, "far", "x", A)
            write_ref(repo, "plain", "x", A)
            write_collection_ref(repo, CollectionRef("org.example.Mirror", "m/x"), B)
            yield repo

    def test_of_our_own_of_mirrors_and_of_remotes(self, repo):
        own = CollectionRef("org.example.Own", "own")
        mirrored = CollectionRef("org.example.Mirror", "m/x")
        far = CollectionRef("org.example.Far", "x")
        assert refs.list_collection_refs(repo) == {own: A, mirrored: B, far: A}
        assert set(refs.list_collection_refs(repo, include_remotes=False)) == {own, mirrored}
        assert set(refs.list_collection_refs(repo, include_mirrors=False)) == {own, far}
        assert refs.list_collection_refs(repo, "org.example.Far") == {far: A}

    def test_one_that_is_none(self, repo):
        with pytest.raises(FormatError):
            refs.list_collection_refs(repo, "../..")
