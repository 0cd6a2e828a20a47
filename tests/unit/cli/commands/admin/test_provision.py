# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[system]\nhostname = "unit-7"\n')
    return path


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to root")
def test_a_file_is_done_once(run, document, tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    stamp = tmp_path / "stamp"
    run.ok("admin", "provision", f"--root={root}", f"--stamp={stamp}", document)
    assert (root / "etc/hostname").read_text() == "unit-7\n"
    assert stamp.exists()


def test_a_file_is_only_looked_at(run, document, tmp_path):
    assert "can be used" in run.ok("admin", "provision", "--dry-run", document).out
    document.write_text("[kernel]\n")
    said = run.fails("admin", "provision", "--dry-run", document, status=60)
    assert f"{document}:1: nobody knows the key 'kernel'" in said
    assert os.listdir(tmp_path) == ["p.toml"]


def test_what_is_no_text(run, document):
    document.write_bytes(b"\xff")
    assert "no text in UTF-8" in run.fails("admin", "provision", document, status=60)
