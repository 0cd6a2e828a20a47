# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import pytest

from ostrya.errors import FormatError, RepoError
from ostrya.repo.modes import RepoMode
from ostrya.repo.remotes import add_remote, delete_remote, list_remotes, remote_url
from ostrya.repo.repository import create_repository


@pytest.fixture
def repo(tmp_path):
    with create_repository(str(tmp_path / "repo"), RepoMode.ARCHIVE) as repo:
        yield repo


def test_a_remote_comes_and_goes(repo):
    add_remote(repo, "x", "http://x", [("flag", True), ("list", ("a", "b"))])
    assert list_remotes(repo) == ["x"]
    assert remote_url(repo, "x") == "http://x"
    group = repo.config.keyfile
    assert group.get_boolean('remote "x"', "flag")
    assert group.get_string_list('remote "x"', "list") == ("a", "b")
    delete_remote(repo, "x")
    assert list_remotes(repo) == []


def test_names_with_quotes_are_no_remotes(repo):
    for name in ("a b", "a/b", '"', ""):
        with pytest.raises(FormatError):
            add_remote(repo, name, "http://x", [])
        with pytest.raises(FormatError):
            delete_remote(repo, name)


def test_other_groups_are_left_alone(repo):
    with pytest.raises(RepoError):
        remote_url(repo, "core")
    assert list_remotes(repo) == []
