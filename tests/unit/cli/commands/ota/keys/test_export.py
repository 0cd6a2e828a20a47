# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.author.credentials import REPOSITORY_URL, read_credentials


def test_credentials(run, made, tmp_path):
    path = str(tmp_path / "c.zip")
    run.ok("ota", "keys", "export", path, made[0], "--repository-url=https://server/repo")
    run.ok("ota", "keys", "export", path, made[0])
    found = read_credentials(path)
    assert found.url(REPOSITORY_URL) == "https://server/repo"
    assert found.members["root.json"] == (tmp_path / "img/repository/1.root.json").read_bytes()
    assert found.targets_key() is not None


def test_a_key_that_is_not_here(run, made, tmp_path):
    for path in (tmp_path / "img/keys").glob("targets-*"):
        path.unlink()
    assert run.fails("ota", "keys", "export", str(tmp_path / "c.zip"), made[0], status=70)
    assert not (tmp_path / "c.zip").exists()
    run.fails("ota", "keys", "export", made[0], status=2)
