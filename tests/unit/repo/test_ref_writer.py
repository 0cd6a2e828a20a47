# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.errors import FormatError
from ostrya.formats.refs import CollectionRef
from ostrya.repo import ref_writer
from ostrya.repo.errors import RefConflict, RefNotFound
from ostrya.repo.refs import list_aliases, list_collection_refs, list_refs, resolve_ref
from support.small_repos import make_repo

A, B = "a" * 64, "b" * 64


def all_files(repo) -> set[str]:
    top = Path(repo.path)
    return {str(p.relative_to(top)) for p in (top / "refs").rglob("*") if not p.is_dir()}


def test_one_line_and_its_parents(repo):
    ref_writer.write_ref(repo, None, "deep/er/x", A)
    assert (Path(repo.path) / "refs/heads/deep/er/x").read_text() == f"{A}\n"
    assert all_files(repo) == {"refs/heads/deep/er/x"}


def test_replaced_and_deleted(repo):
    ref_writer.write_ref(repo, "origin", "x", A)
    ref_writer.write_ref(repo, "origin", "x", B)
    assert list_refs(repo) == {"origin:x": B}
    ref_writer.write_ref(repo, "origin", "x", None)
    ref_writer.write_ref(repo, "origin", "x", None)
    assert list_refs(repo) == {}


@pytest.mark.parametrize(
    ("remote", "ref"),
    [
        (None, "../x"),
        (None, ""),
        (None, "/x"),
        (None, "x/"),
        (None, "a b"),
        ("a/b", "x"),
        ("..", "x"),
    ],
)
def test_names_that_are_none(repo, remote, ref):
    with pytest.raises(FormatError):
        ref_writer.write_ref(repo, remote, ref, A)
    assert all_files(repo) == set()


def test_what_is_no_checksum(repo):
    with pytest.raises(FormatError):
        ref_writer.write_ref(repo, None, "x", "short")
    with pytest.raises(RefConflict, match="looks like a checksum"):
        ref_writer.write_ref(repo, None, A, A)
    assert all_files(repo) == set()


def test_a_name_with_refs_below_it(repo):
    ref_writer.write_ref(repo, None, "a/b", A)
    with pytest.raises(RefConflict, match=r"a/b exists under a"):
        ref_writer.write_ref(repo, None, "a", A)
    assert all_files(repo) == {"refs/heads/a/b"}


def test_a_name_whose_refs_below_are_gone(repo):
    ref_writer.write_ref(repo, None, "a/b", A)
    ref_writer.write_ref(repo, None, "a/b", None)
    ref_writer.write_ref(repo, None, "a", B)
    assert list_refs(repo) == {"a": B}


@pytest.mark.parametrize("remote", ["origin", None])
def test_refs_below_are_never_deleted(repo, remote):
    ref_writer.write_ref(repo, remote, "a/b/c", A)
    with pytest.raises(RefConflict, match=r"a/b/c exists under a"):
        ref_writer.write_ref(repo, remote, "a", B)
    ref_writer.write_ref(repo, remote, "d/e", A)
    (Path(repo.path) / "refs/heads/f").mkdir()
    (Path(repo.path) / "refs/heads/f/no name of a ref").touch()
    with pytest.raises(RefConflict, match="no name of a ref exists under f"):
        ref_writer.write_ref(repo, None, "f", A)
    assert len(list_refs(repo)) == 2


def test_refs_of_collections_below_are_never_deleted(repo):
    ref_writer.write_collection_ref(repo, CollectionRef("org.x.Y", "a/b"), A)
    with pytest.raises(RefConflict, match=r"a/b exists under a"):
        ref_writer.write_collection_ref(repo, CollectionRef("org.x.Y", "a"), B)
    assert list_collection_refs(repo) == {CollectionRef("org.x.Y", "a/b"): A}


def test_below_an_alias_of_nothing(repo):
    ref_writer.write_ref(repo, None, "target", A)
    ref_writer.write_alias(repo, "alias", "target")
    ref_writer.write_ref(repo, None, "target", None)
    with pytest.raises(RefConflict, match=r"alias exists above alias/below"):
        ref_writer.write_ref(repo, None, "alias/below", B)


@pytest.mark.parametrize("below", ["a/b", "a/b/c"])
def test_a_name_below_a_ref(repo, below):
    ref_writer.write_ref(repo, None, "a", A)
    with pytest.raises(RefConflict, match=f"a exists above {below} .* Not a directory"):
        ref_writer.write_ref(repo, None, below, B)
    with pytest.raises(RefConflict, match=f"a exists above {below} .* Not a directory"):
        ref_writer.write_alias(repo, below, "a")
    assert list_refs(repo) == {"a": A}


def test_killed_on_the_way_it_is_old_or_new(repo, monkeypatch):
    ref_writer.write_ref(repo, None, "x", A)
    before = all_files(repo)

    def killed(*_args, **_kwargs):
        assert all_files(repo) == before
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            ref_writer.write_ref(repo, None, "x", B)
    assert list_refs(repo) == {"x": A}
    assert os.listdir(repo.tmp_fd) == ["cache"]


def test_the_repository_is_touched_so_that_others_notice(repo):
    os.utime(repo.path, (0, 0))
    ref_writer.write_ref(repo, None, "x", A)
    assert os.stat(repo.path).st_mtime > 0


class TestAliases:
    def test_never_stand_for_themselves(self, repo):
        ref_writer.write_ref(repo, None, "a", A)
        for alias, target in (("b", "a"), ("c", "b")):
            ref_writer.write_alias(repo, alias, target)
        for target in ("a", "b", "c"):
            with pytest.raises(RefConflict, match="a would be an alias of itself"):
                ref_writer.write_alias(repo, "a", target)
        assert resolve_ref(repo, None, "c") == A

    def test_take_the_place_of_a_directory_that_is_empty(self, repo):
        ref_writer.write_ref(repo, None, "target", A)
        ref_writer.write_ref(repo, None, "x/y/z", A)
        with pytest.raises(RefConflict, match="x/y/z exists under x"):
            ref_writer.write_alias(repo, "x", "target")
        ref_writer.write_ref(repo, None, "x/y/z", None)
        ref_writer.write_alias(repo, "x", "target")
        assert resolve_ref(repo, None, "x") == A

    def test_stand_for_what_the_other_points_to(self, repo):
        ref_writer.write_ref(repo, None, "target", A)
        ref_writer.write_alias(repo, "deep/alias", "target")
        ref_writer.write_ref(repo, None, "target", B)
        assert resolve_ref(repo, None, "deep/alias") == B
        assert list_aliases(repo) == {"deep/alias": "target"}

    def test_need_a_target(self, repo):
        with pytest.raises(RefNotFound):
            ref_writer.write_alias(repo, "alias", "nothing")
        ref_writer.write_ref(repo, "origin", "far", A)
        with pytest.raises(RefNotFound):
            ref_writer.write_alias(repo, "alias", "far")

    @pytest.mark.parametrize(("ref", "target"), [("../x", "y"), ("x", "../../config")])
    def test_names_that_are_none(self, repo, ref, target):
        with pytest.raises(FormatError):
            ref_writer.write_alias(repo, ref, target)


class TestCollections:
    def test_our_own_are_heads(self, tmp_path):
        with make_repo(tmp_path / "repo", collection_id="org.example.Own") as repo:
            ref_writer.write_collection_ref(repo, CollectionRef("org.example.Own", "x"), A)
            assert all_files(repo) == {"refs/heads/x"}

    def test_others_are_mirrors_even_in_old_repositories(self, repo):
        os.rmdir(f"{repo.path}/refs/mirrors")
        ref_writer.write_collection_ref(repo, CollectionRef("org.example.X", "x"), A)
        assert all_files(repo) == {"refs/mirrors/org.example.X/x"}
        ref_writer.write_collection_ref(repo, CollectionRef("org.example.X", "x"), None)
        assert all_files(repo) == set()
