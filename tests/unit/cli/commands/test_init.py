# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("mode", "written"),
    [
        ("bare", "bare"),
        ("archive", "archive-z2"),
        ("archive-z2", "archive-z2"),
        ("bare-user-only", "bare-user-only"),
        ("bare-split-xattrs", "bare-split-xattrs"),
    ],
)
def test_modes(run, tmp_path, mode, written):
    run.ok("init", f"--repo={tmp_path / 'repo'}", f"--mode={mode}")
    assert (tmp_path / "repo/config").read_text() == f"[core]\nrepo_version=1\nmode={written}\n"
    assert run.ok("refs", f"--repo={tmp_path / 'repo'}").out == ""


def test_again_changes_nothing(run, sample):
    before = (sample.path / "config").read_text()
    run.ok("init", sample.option, "--mode=bare-user-only")
    assert (sample.path / "config").read_text() == before


def test_collection(run, tmp_path):
    run.ok("init", f"--repo={tmp_path / 'repo'}", "--collection-id=org.example.C")
    assert "collection-id=org.example.C\n" in (tmp_path / "repo/config").read_text()


def test_errors(run, tmp_path):
    option = f"--repo={tmp_path / 'repo'}"
    message = run.fails("init", option, "--mode=bogus")
    assert message == "Invalid mode 'bogus' in repository configuration"
    assert "Invalid collection ID" in run.fails("init", option, "--collection-id=x")
    assert not (tmp_path / "repo").exists()
