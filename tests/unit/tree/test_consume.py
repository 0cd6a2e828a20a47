# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.repo.modes import RepoMode
from ostrya.tree.modifier import CommitModifier
from support.small_repos import commit_tree, make_repo, plain_tree


@pytest.fixture(params=[RepoMode.ARCHIVE, RepoMode.BARE_USER_ONLY], ids=str)
def scanned(request, tmp_path):
    """A tree that was committed, and what is to be deleted of it."""
    top = plain_tree(tmp_path / "tree")
    with make_repo(tmp_path / "repo", request.param) as repo:
        modifier = CommitModifier(
            consume=True, canonical_permissions=request.param == RepoMode.BARE_USER_ONLY
        )
        commit_tree(repo, top, modifier=modifier)
    (directory,) = modifier.consumed
    return top, directory


def test_all_of_it_goes(scanned):
    top, directory = scanned
    directory.delete()
    assert not top.exists()


@pytest.mark.parametrize("where", ["new", "usr/bin/new", "hollow/new"])
def test_what_was_made_since_stays(scanned, where):
    top, directory = scanned
    (top / where).write_text("precious")
    with pytest.raises(OSError, match="Directory not empty"):
        directory.delete()
    assert (top / where).read_text() == "precious"


def test_what_was_changed_since_stays(scanned):
    top, directory = scanned
    (top / "etc/conf").unlink()
    (top / "etc/conf").write_text("precious")
    (top / "usr/bin/tool").unlink()
    with pytest.raises(OSError, match="Directory not empty"):
        directory.delete()
    assert (top / "etc/conf").read_text() == "precious"


def test_links_put_in_the_way_are_not_followed(scanned, tmp_path):
    top, directory = scanned
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/conf").write_text("precious")
    (top / "etc").rename(top / "moved")
    (top / "etc").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match=r"etc"):
        directory.delete()
    assert (tmp_path / "outside/conf").read_text() == "precious"


def test_what_was_left_out_goes_too(tmp_path):
    top = plain_tree(tmp_path / "tree")
    modifier = CommitModifier(consume=True, skip_paths={"/etc/conf", "/usr/share"})
    with make_repo(tmp_path / "repo") as repo:
        commit_tree(repo, top, modifier=modifier)
    modifier.consumed[0].delete()
    assert not top.exists()


def test_of_the_current_directory_only_the_content_goes(tmp_path, monkeypatch):
    top = plain_tree(tmp_path / "tree")
    monkeypatch.chdir(top)
    modifier = CommitModifier(consume=True)
    with make_repo(tmp_path / "repo") as repo:
        commit_tree(repo, ".", modifier=modifier)
    modifier.consumed[0].delete()
    assert os.listdir(top) == []


def test_a_link_is_no_directory(tmp_path):
    plain_tree(tmp_path / "tree")
    (tmp_path / "link").symlink_to("tree")
    with make_repo(tmp_path / "repo") as repo, pytest.raises(NotADirectoryError):
        commit_tree(repo, tmp_path / "link")
