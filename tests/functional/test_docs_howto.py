# SPDX-License-Identifier: Apache-2.0
"""Pages whose commands are run, from top to bottom, beside a repository with two refs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support import mounts, os_tree, trees
from support.commands import OURS, PEER, clean_environment

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = (
    "how-to/commit-a-system-tree.md",
    "how-to/deployments.md",
    "how-to/move-commits.md",
    "how-to/prune.md",
    "how-to/push.md",
    "how-to/refs-and-collections.md",
    "how-to/sign.md",
    "how-to/fleet-server.md",
    "how-to/sign-updates-offline.md",
    "how-to/serve-a-repository.md",
    "reference/config.md",
)


def shell(page: str) -> str:
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    return "set -eu\n" + "\n".join(blocks)


@pytest.fixture
def place(tmp_path):
    """A directory with what the pages take for granted."""
    trees.plain_tree(tmp_path / "rootfs")
    (tmp_path / "rootfs/etc/config").write_text("key=value\n")
    repo = "--repo=repo"
    OURS(repo, "init", "--mode=bare-user", "--collection-id=org.example.os", cwd=tmp_path)
    for branch in ("os/stable", "os/stable", "os/devel", "os/old"):
        OURS(repo, "commit", f"--branch={branch}", "--tree=dir=rootfs", cwd=tmp_path)
    OURS(repo, "remote", "add", "origin", "https://example.com/repo", cwd=tmp_path)
    (tmp_path / "volume").mkdir()
    for version in ("1", "2"):
        os_tree.make(tmp_path / f"release-{version}", version)
    return tmp_path


def run_page(page: str, place: Path, name: str, program: str) -> subprocess.CompletedProcess[str]:
    folder = place / "bin"
    folder.mkdir()
    (folder / name).symlink_to(program)
    environment = clean_environment()
    environment["PATH"] = f"{folder}{os.pathsep}{environment.get('PATH', os.defpath)}"
    argv = ["sh", "-c", shell(page)]
    return subprocess.run(
        argv, cwd=place, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("page", PAGES)
def test_commands_run(page, place):
    done = run_page(page, place, "ostrya", str(OURS.path))
    assert done.returncode == 0, done.stderr


def test_a_volume(place, monkeypatch):
    """``how-to/usb-and-mirrors.md``, with a real volume below the home directory."""
    reason = mounts.missing("ext4")
    if reason:
        pytest.skip(reason)
    home = place / "home"
    volume = mounts.mount("ext4", home, size=32 * 1024 * 1024)
    try:
        (home / "volume").mkdir()
        mounts.run("mount", "--bind", str(volume), str(home / "volume"))
        monkeypatch.setenv("HOME", str(home))
        done = run_page("how-to/usb-and-mirrors.md", place, "ostrya", str(OURS.path))
    finally:
        mounts.unmount(place)
    assert done.returncode == 0, done.stderr
    assert "Pulled 1/1 refs successfully." in done.stdout
    assert (place / "deploy/etc/config").read_text() == "key=value\n"


def test_lists_of_modes(place):
    assert (
        run_page("how-to/commit-a-system-tree.md", place, "ostrya", str(OURS.path)).returncode == 0
    )
    listed = OURS(
        "--repo=repo", "ls", "-R", "os/stable", "/usr/bin/hello", "/etc/config", cwd=place
    )
    assert [line.split()[0] for line in listed.splitlines()] == ["-04755", "-00600"]
    assert "/usr/share" not in OURS("--repo=repo", "ls", "-R", "os/small", cwd=place)


# ---- how-to/check-and-repair.md

REPO, STABLE = "--repo=repo", "os/stable"
BOTH = pytest.mark.parametrize(
    "tool",
    [
        OURS,
        pytest.param(PEER, marks=pytest.mark.peer),
    ],
    ids=lambda tool: tool.name,
)


@pytest.fixture
def damaged(tmp_path):
    """A repository that lost an object to ``fsck --delete``, and one that did not."""
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "rootfs/file").write_text("content\n")
    for name in ("repo", "other"):
        OURS(f"--repo={name}", "init", "--mode=bare-user", cwd=tmp_path)
        OURS(f"--repo={name}", *COMMIT, "--timestamp=@1", cwd=tmp_path)
    (path,) = (tmp_path / "repo/objects").rglob("*.file")
    path.write_text("damaged\n")
    OURS.fails(REPO, "fsck", "--delete", cwd=tmp_path)
    return tmp_path


COMMIT = ("commit", f"--branch={STABLE}", "--tree=dir=rootfs")


@BOTH
def test_a_pull_takes_the_mark_away(damaged, tool):
    checksum = tool(REPO, "rev-parse", STABLE, cwd=damaged)
    assert "1 partial commits" in tool.fails(REPO, "fsck", cwd=damaged)
    tool(REPO, "pull-local", "other", checksum, cwd=damaged)
    tool(REPO, "fsck", cwd=damaged)


@BOTH
@pytest.mark.parametrize("how", [["--refs-only", "--depth=0"], "delete-commit"], ids=str)
def test_a_commit_does_not(damaged, tool, how):
    old = tool(REPO, "rev-parse", STABLE, cwd=damaged)
    tool(REPO, *COMMIT, cwd=damaged)
    assert "1 partial commits" in tool.fails(REPO, "fsck", cwd=damaged)
    tool(REPO, "checkout", "-U", STABLE, "out", cwd=damaged)
    tool(REPO, "prune", *([f"--delete-commit={old}"] if isinstance(how, str) else how), cwd=damaged)
    tool(REPO, "fsck", cwd=damaged)


@BOTH
def test_the_same_commit_keeps_the_mark(damaged, tool):
    old = tool(REPO, "rev-parse", STABLE, cwd=damaged)
    assert tool(REPO, *COMMIT, "--timestamp=@1", "--parent=none", cwd=damaged) == old
    assert "1 partial commits" in tool.fails(REPO, "fsck", cwd=damaged)
