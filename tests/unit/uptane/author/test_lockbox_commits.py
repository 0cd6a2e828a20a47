# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import RepoError
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository, open_repository
from ostrya.uptane.author.images import About, add_commit
from ostrya.uptane.author.lockbox_commits import copy_commits, require_commits
from ostrya.uptane.errors import AuthoringError
from support.uptane_world import NOW


def test_a_commit_needs_a_repository(work):
    add_commit(work, "os", "ab" * 32, About(("board",)), NOW)
    with pytest.raises(AuthoringError, match="os is an OSTree commit"):
        require_commits(work, ["os"], None)
    require_commits(work, ["os"], "repo")
    require_commits(work, ["other"], None)


def test_a_commit_that_is_not_there(tmp_path):
    create_repository(str(tmp_path / "repo"), RepoMode.ARCHIVE).close()
    with pytest.raises(RepoError):
        copy_commits(str(tmp_path / "repo"), ["ab" * 32], str(tmp_path / "copy"))
    open_repository(str(tmp_path / "copy")).close()
