# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def director(run, tmp_path):
    folder = tmp_path / "director"
    run.ok("ota", "keys", "create", "--director", f"--dir={folder}")
    run.ok("ota", "targets", "sign", f"--dir={folder}")
    return f"--director={folder}"


def test_files_and_commits(run, made, director, tmp_path, sample):
    folder, path = made
    run.ok("ota", "targets", "add", "fw", path, "--hardware-id=board", folder)
    run.ok("ota", "targets", "add", "os", f"--commit={sample.second}", "--hardware-id=host", folder)
    run.ok("ota", "targets", "sign", folder)
    words = ["ota", "lockbox", "create", "box", str(tmp_path / "usb"), "fw", "os", folder, director]
    assert "--repo" in run(*words).err
    assert not (tmp_path / "usb").exists()
    done = run.ok(*words, sample.option)
    assert "metadata/director/box.json" in done.lines
    text = run.ok("log", f"--repo={tmp_path / 'usb/ostree'}", sample.second).out
    assert f"commit {sample.second}" in text


def test_refused(run, made, director, tmp_path):
    run.fails("ota", "lockbox", "create", "box", made[0], director, status=2)
    run.fails("ota", "lockbox", "create", "box", str(tmp_path / "usb"), "fw", made[0], status=2)
    run.fails(
        "ota", "lockbox", "create", "box", str(tmp_path / "usb"), "fw", made[0], director, status=70
    )
