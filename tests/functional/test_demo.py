# SPDX-License-Identifier: Apache-2.0
"""The demo runs to its end, and each command that it shows can be typed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, clean_environment

TOP = Path(__file__).resolve().parents[2]


def play(*arguments: str | Path) -> str:
    argv = [sys.executable, str(TOP / "tools" / "demo.py"), *map(str, arguments)]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd=TOP,
        env=clean_environment(),
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["directory", "tar"])
def test_demo_of_a_given_tree(tmp_path, kind):
    rootfs = tmp_path / "rootfs"
    trees.plain_tree(rootfs)
    for number in range(300):
        trees.write(rootfs / f"many/{number}", f"file {number}\n".encode() * 20)
    if kind == "tar":
        with tarfile.open(tmp_path / "rootfs.tar", "w") as archive:
            archive.add(rootfs, arcname=".")
        rootfs = tmp_path / "rootfs.tar"
    text = play("--rootfs", rootfs, "--work", tmp_path / "work")
    repo = f"--repo={tmp_path / 'work/repo'}"
    new, old = OURS(repo, "rev-parse", "demo/system"), OURS(repo, "rev-parse", "demo/system^")
    assert new[:16] in text
    assert old[:16] in text
    OURS(repo, "fsck")
    shown = [
        shlex.split(line.partition("$")[2])
        for line in text.splitlines()
        if re.match(r"\s+\$ ", line)
    ]
    verbs = {word for line in shown for word in line[1:3] if not word.startswith("-")}
    assert verbs >= {"init", "commit", "checkout", "diff", "fsck", "log"}
    check_the_disk(tmp_path / "work", text)


def check_the_disk(work: Path, text: str) -> None:
    """The system was installed, updated and rolled back, and the edited setting came along."""
    disk = work / "disk"
    status = json.loads(OURS("admin", "status", f"--sysroot={disk}", "--json"))
    versions = [found["version"] for found in status["deployments"]]
    assert versions == ["1", "2"]
    assert status["next_boot"].startswith(status["deployments"][0]["checksum"])
    newer = status["deployments"][1]
    deployment = disk / f"ostree/deploy/demo/deploy/{newer['checksum']}.{newer['serial']}"
    assert (deployment / "etc/server.conf").read_text() == "port=8080\nworkers=1\n"
    assert (deployment / "etc/motd").read_text() == "Welcome to release 2\n"
    assert len(list((disk / "boot/loader/entries").iterdir())) == 2
    # After the installation, the update and the rollback.
    assert text.count('"next_boot": "') == 3
    words = text.split()
    for verb in ("deploy", "status", "etc-plan", "rollback", "config-diff"):
        assert verb in words


def test_the_repository_shares_what_did_not_change(tmp_path):
    rootfs = tmp_path / "rootfs"
    for number in range(300):
        trees.write(rootfs / f"many/{number}", f"file {number}\n".encode() * 20)
    trees.write(rootfs / "large", trees.seeded_bytes(400_000, 9))
    play("--rootfs", rootfs, "--work", tmp_path / "work")
    one, two = (tmp_path / "work" / f"release-{n}" for n in (1, 2))
    same = [p for p in one.rglob("*") if p.is_file() and (two / p.relative_to(one)).exists()]
    linked = [p for p in same if p.stat().st_ino == (two / p.relative_to(one)).stat().st_ino]
    assert len(linked) > 0.9 * len(same)
    assert len(linked) < len(same)
