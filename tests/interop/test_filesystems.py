# SPDX-License-Identifier: Apache-2.0
"""The proofs again on each kind of file system, mounted small in a private namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mounts, trees
from support.commands import OURS, PEER

pytestmark = [pytest.mark.peer, pytest.mark.root, pytest.mark.loop]

BOTH = (OURS, PEER)
MODES = ("bare", "archive", "bare-user", "bare-user-only")
WHEN = "--timestamp=@1700000000"


def _mounted(kind: str, folder: Path) -> Iterator[Path]:
    if reason := mounts.missing(kind):
        pytest.skip(reason)
    try:
        yield mounts.mount(kind, folder)
    finally:
        mounts.unmount(folder)


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in mounts.KINDS],
)
def place(request, disk_folder) -> Iterator[Path]:
    """A directory on one kind of file system."""
    yield from _mounted(request.param, disk_folder / f"fs-{request.param}")


@pytest.fixture
def room(place, request) -> Iterator[Path]:
    """A directory of this test's own there."""
    import shutil

    folder = place / request.node.name.replace("/", "-")[:60]
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode", MODES)
def test_same_commits_and_checkouts(room, mode):
    """Commit by both, verify crosswise, check out every way, change, commit again by the other."""
    tree = room / "tree"
    tree.mkdir()
    extra: list[str] = []
    if mode == "bare-user-only":
        trees.plain_tree(tree)
        extra = ["--canonical-permissions"]
    else:
        trees.full_tree(tree)
    sums = {}
    for tool in BOTH:
        repo = f"--repo={room / tool.name}"
        tool("init", repo, f"--mode={mode}")
        sums[tool.name] = tool(repo, "commit", "-b", "main", WHEN, *extra, f"--tree=dir={tree}")
    assert sums["ours"] == sums["peer"]
    OURS(f"--repo={room / 'peer'}", "fsck")
    PEER(f"--repo={room / 'ours'}", "fsck")
    for number, options in enumerate([("-U",), ("-U", "-H"), ("-H",), ("-C",)]):
        ends = []
        for tool in BOTH:
            target = room / f"out-{tool.name}-{number}"
            repo = f"--repo={room / ('peer' if tool is OURS else 'ours')}"
            done = tool.run(repo, "checkout", *options, "main", target)
            ends.append(done.returncode == 0)
        assert ends[0] == ends[1]
        if all(ends):
            left, right = (room / f"out-{tool.name}-{number}" for tool in BOTH)
            trees.assert_same_tree(left, right, mtimes=True)
    trees.second_release(tree)
    second = OURS(
        f"--repo={room / 'peer'}", "commit", "-b", "main", WHEN, *extra, f"--tree=dir={tree}"
    )
    assert second == PEER(
        f"--repo={room / 'ours'}", "commit", "-b", "main", WHEN, *extra, f"--tree=dir={tree}"
    )
    PEER(f"--repo={room / 'peer'}", "prune", "--refs-only", "--depth=0")
    OURS(f"--repo={room / 'ours'}", "prune", "--refs-only", "--depth=0")
    OURS(f"--repo={room / 'ours'}", "fsck")
    PEER(f"--repo={room / 'peer'}", "fsck")


@pytest.mark.parametrize("target", ["bare", "bare-user"])
def test_pull_local_across_file_systems(room, tmp_path, target):
    """No link can run between two file systems: copies, and the same commit."""
    tree = tmp_path / "tree"
    tree.mkdir()
    trees.full_tree(tree)
    OURS("init", f"--repo={tmp_path / 'source'}", "--mode=bare")
    checksum = OURS(f"--repo={tmp_path / 'source'}", "commit", "-b", "main", f"--tree=dir={tree}")
    OURS("init", f"--repo={room / 'repo'}", f"--mode={target}")
    OURS(f"--repo={room / 'repo'}", "pull-local", tmp_path / "source", "main")
    assert PEER(f"--repo={room / 'repo'}", "rev-parse", "main") == checksum
    PEER(f"--repo={room / 'repo'}", "fsck")
    OURS(f"--repo={room / 'repo'}", "checkout", "-U", "main", room / "out")
    PEER(f"--repo={room / 'repo'}", "checkout", "-U", "main", room / "peer-out")
    trees.assert_same_tree(room / "out", room / "peer-out")


@pytest.mark.parametrize("verb", ["commit", "pull-local"])
def test_without_user_xattrs_a_bare_user_repository_is_refused_in_a_sentence(tmp_path, verb):
    """ramfs keeps no user xattrs: the error says so and names the place."""
    for place in _mounted("ramfs", tmp_path / "fs"):
        tree = tmp_path / "tree"
        trees.write(tree / "file", b"content\n")
        OURS("init", f"--repo={tmp_path / 'source'}", "--mode=archive")
        OURS(f"--repo={tmp_path / 'source'}", "commit", "-b", "main", f"--tree=dir={tree}")
        repo = f"--repo={place / 'repo'}"
        made = OURS.run("init", repo, "--mode=bare-user")
        words = made.stderr.decode()
        if made.returncode == 0:
            PEER(
                repo, "config", "set", "core.min-free-space-percent", "0"
            )  # ramfs says it has no space
            arguments = {
                "commit": ["-b", "main", f"--tree=dir={tree}"],
                "pull-local": [tmp_path / "source", "main"],
            }
            words = OURS.fails(repo, verb, *arguments[verb])
            assert OURS(repo, "refs") == ""
        assert "xattr" in words.lower() or "extended attribute" in words.lower(), words
        assert "Traceback" not in words


def test_bare_user_only_needs_no_xattrs(tmp_path):
    """The mode made for such file systems works on one."""
    for place in _mounted("ramfs", tmp_path / "fs"):
        tree = tmp_path / "tree"
        tree.mkdir()
        trees.plain_tree(tree)
        repo = f"--repo={place / 'repo'}"
        OURS("init", repo, "--mode=bare-user-only")
        PEER(
            repo, "config", "set", "core.min-free-space-percent", "0"
        )  # ramfs says it has no space
        OURS(repo, "commit", "-b", "main", "--canonical-permissions", f"--tree=dir={tree}")
        PEER(repo, "fsck")
        OURS(repo, "checkout", "-U", "-H", "main", place / "out")
        PEER(repo, "checkout", "-U", "-H", "main", place / "peer-out")
        trees.assert_same_tree(place / "out", place / "peer-out")
