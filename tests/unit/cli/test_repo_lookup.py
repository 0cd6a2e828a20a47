# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya._linux.flock import LockHolder
from ostrya.cli import repo_lookup
from ostrya.cli.environment import Environment
from ostrya.cli.repo_lookup import default_repo_path, make_runtime


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repo_lookup, "SYSTEM_REPO", str(tmp_path / "system"))
    return tmp_path


def test_the_current_directory_comes_first(here):
    (here / "elsewhere").mkdir()
    (here / "objects").mkdir()
    (here / "config").write_text("")
    assert default_repo_path(str(here / "elsewhere")) == str(here)


def test_then_the_variable(here):
    (here / "elsewhere").mkdir()
    (here / "system").mkdir()
    assert default_repo_path("elsewhere") == str(here / "elsewhere")
    assert default_repo_path("nope") is None


def test_then_the_system(here):
    assert default_repo_path("") is None
    (here / "system").mkdir()
    assert default_repo_path("") == str(here / "system")


def test_what_a_repository_is_told(capfd):
    runtime = make_runtime(Environment(boot_id="id", skip_cache=True, test_error="pre-commit"))
    assert (runtime.boot_id, runtime.use_cache, runtime.fail_before_commit) == ("id", False, True)
    runtime.on_lock_wait([LockHolder(7, "prune", 0.0)])
    message = capfd.readouterr().err
    assert message.startswith("Waiting for the repository's lock, held by pid 7 (prune), ")
    runtime.on_lock_wait([])
    assert "another process" in capfd.readouterr().err
