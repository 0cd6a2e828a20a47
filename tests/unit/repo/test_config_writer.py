# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.repo.config_writer import write_config
from support.small_repos import make_repo, reopen


def test_comments_and_unknown_keys_stay(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        text = "# mine\n[core]\nrepo_version=1\nmode=archive-z2\nfuture=1\n\n[other]\nk=v\n"
        (tmp_path / "repo/config").write_text(text)
        repo.reload_config()
        repo.config.keyfile.set_value("core", "fsync", "false")
        write_config(repo, repo.config.keyfile)
        written = (tmp_path / "repo/config").read_text()
        for line in ("# mine", "future=1", "[other]", "k=v", "fsync=false"):
            assert line in written.splitlines()
        with reopen(repo) as other:
            assert not other.config.fsync


def test_old_or_new(tmp_path, monkeypatch):
    with make_repo(tmp_path / "repo") as repo:
        before = (tmp_path / "repo/config").read_text()

        def killed(*_args, **_options):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            write_config(repo, repo.config.keyfile)
        assert (tmp_path / "repo/config").read_text() == before
