# SPDX-License-Identifier: Apache-2.0
"""A flatpak repository, mirrored by us: its summary and metadata as they were, and fit to install."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, clean_environment, have
from support.gpg_keys import gpg_user
from support.web_servers import web_server

pytestmark = pytest.mark.peer

APP = "org.example.Tiny"


def flatpak(home: Path, *words: object) -> str:
    """Run Debian's flatpak as somebody who lives in ``home``."""
    env = clean_environment() | {"HOME": str(home), "XDG_DATA_HOME": f"{home}/data"}
    done = subprocess.run(
        ["flatpak", *map(str, words)], env=env | {"XDG_CACHE_HOME": f"{home}/cache"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not have("flatpak"), reason="needs flatpak")
def test_a_mirror_of_a_flatpak_repository(tmp_path):
    home, app, source, mirror = (tmp_path / n for n in ("home", "app", "source", "mirror"))
    home.mkdir()
    arch = flatpak(home, "--default-arch").strip()
    ref = f"app/{APP}/{arch}/stable"
    runtime = f"org.example.Platform/{arch}/1"
    metadata = f"[Application]\nname={APP}\nruntime={runtime}\ncommand=hello\n"
    trees.write(app / "metadata", metadata.encode())
    trees.write(app / "files/bin/hello", b"#!/bin/sh\necho hello\n", 0o755)
    (app / "export").mkdir()
    with gpg_user() as user:
        key = user.make_key("Builder")
        keyring = trees.write(tmp_path / "key.gpg", user.export(key))
        sign = (f"--gpg-homedir={user.home}", f"--gpg-sign={key}")
        flatpak(home, "build-export", *sign, source, app, "stable")
    option = f"--repo={mirror}"
    OURS("init", option, "--mode=archive")
    with web_server("serve", source, tmp_path / "server") as url:
        OURS(
            "remote", "add", option, "origin", url, f"--gpg-import={keyring}",
            "--set=gpg-verify=true", "--set=gpg-verify-summary=true",
        )  # fmt: skip
        OURS("pull", option, "--mirror", "origin")
    for name in ("summary", "summary.sig"):
        assert (mirror / name).read_bytes() == (source / name).read_bytes()
    commits = [path.relative_to(source) for path in source.glob("objects/??/*.commit*")]
    assert {path.suffix for path in commits} == {".commit", ".commitmeta"}
    for path in commits:
        assert (mirror / path).read_bytes() == (source / path).read_bytes()
    shown = OURS("show", option, "--print-metadata-key=xa.metadata", ref)
    assert f"name={APP}" in shown
    for tool in (OURS, PEER):
        tool("fsck", option, "--quiet")
        assert f"name={APP}" in tool("summary", option, "--view")
    with web_server("serve", mirror, tmp_path / "server") as url:
        flatpak(home, "remote-add", "--user", f"--gpg-import={keyring}", "local", url)
        flatpak(home, "install", "--user", "--no-deps", "-y", "--noninteractive", "local", APP)
    installed = home / "data/flatpak/app" / APP / arch / "stable/active/files/bin/hello"
    assert installed.read_bytes() == b"#!/bin/sh\necho hello\n"
    assert os.access(installed, os.X_OK)
    assert APP in flatpak(home, "list", "--user", "--columns=application")
