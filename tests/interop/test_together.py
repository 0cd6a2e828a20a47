# SPDX-License-Identifier: Apache-2.0
"""Both tools on one repository: in turn, and at once."""

from __future__ import annotations

import fcntl
import itertools
import os
import struct
import subprocess
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command, clean_environment

pytestmark = pytest.mark.peer

MODES = ("bare", "archive", "bare-user", "bare-user-only")
BOTH = (OURS, PEER)
TURNS = 4


def extra(mode: str) -> list[str]:
    return ["--canonical-permissions"] if mode == "bare-user-only" else []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("maker", BOTH, ids=["made by ours", "made by peer"])
def test_in_turn(tmp_path, mode, maker):
    """A history written by turns is one history to both, whoever prunes and checks."""
    tree, repo = tmp_path / "tree", tmp_path / "repo"
    tree.mkdir()
    trees.plain_tree(tree)
    maker("init", f"--repo={repo}", f"--mode={mode}")
    history = []
    for turn, tool in zip(range(TURNS), itertools.cycle(BOTH), strict=False):
        trees.write(tree / "changing", f"turn {turn}\n".encode())
        arguments = ["-b", "main", "-s", f"turn {turn}", *extra(mode), f"--tree=dir={tree}"]
        history.append(tool(f"--repo={repo}", "commit", *arguments))
    for tool in BOTH:
        assert tool(f"--repo={repo}", "rev-parse", "main") == history[-1]
        assert tool(f"--repo={repo}", "rev-parse", "main^^^") == history[0]
        tool(f"--repo={repo}", "fsck")
    assert OURS(f"--repo={repo}", "log", "main") == PEER(f"--repo={repo}", "log", "main")
    OURS(f"--repo={repo}", "prune", "--depth=1")
    PEER(f"--repo={repo}", "fsck")
    PEER(f"--repo={repo}", "prune", "--depth=0")
    OURS(f"--repo={repo}", "fsck")
    PEER(f"--repo={repo}", "checkout", "-U", "main", tmp_path / "peer")
    OURS(f"--repo={repo}", "checkout", "-U", "main", tmp_path / "ours")
    trees.assert_same_tree(tmp_path / "ours", tmp_path / "peer")


def pruned_objects(tmp_path: Path, tool: Command, mode: str, *options: str) -> set[str]:
    """The names left after a prune of a repository that is the same for each tool."""
    tree, repo = tmp_path / f"tree-{tool.name}", tmp_path / f"repo-{tool.name}"
    tree.mkdir()
    trees.plain_tree(tree)
    PEER("init", f"--repo={repo}", f"--mode={mode}")
    for number in range(4):
        trees.write(tree / "changing", f"turn {number}\n".encode())
        when = f"--timestamp=@{1700000000 + number}"
        arguments = ["-b", "main", when, *extra(mode), f"--tree=dir={tree}"]
        PEER(f"--repo={repo}", "commit", *arguments)
    PEER(
        f"--repo={repo}",
        "commit",
        "-b",
        "gone",
        "--timestamp=@1600000000",
        f"--tree=dir={tree}/odd",
        *extra(mode),
    )
    PEER(f"--repo={repo}", "refs", "--delete", "gone")
    tool(f"--repo={repo}", "prune", *options)
    return {
        str(path.relative_to(repo))
        for path in (repo / "objects").rglob("*")
        if path.is_file() or path.is_symlink()
    }


PRUNES = {
    "refs only": ("--refs-only",),
    "depth 0": ("--refs-only", "--depth=0"),
    "depth 1": ("--refs-only", "--depth=1"),
    "younger than": ("--keep-younger-than=@1700000002",),
    "commit only": ("--commit-only", "--refs-only", "--depth=0"),
    "no-prune": ("--refs-only", "--depth=0", "--no-prune"),
    "only branch": ("--only-branch=main", "--depth=0"),
}


@pytest.mark.parametrize("options", PRUNES.values(), ids=PRUNES.keys())
@pytest.mark.parametrize("mode", ["archive", "bare"])
def test_prune_leaves_the_same_objects(tmp_path, mode, options):
    ours = pruned_objects(tmp_path, OURS, mode, *options)
    assert ours == pruned_objects(tmp_path, PEER, mode, *options)


@pytest.mark.parametrize("mode", ["archive", "bare"])
def test_at_once(tmp_path, mode):
    """Many writers and pruners of both kinds at the same time lose nothing."""
    repo = tmp_path / "repo"
    PEER("init", f"--repo={repo}", f"--mode={mode}")
    with (repo / "config").open("a") as config:
        config.write("lock-timeout-secs=60\n")
    writers = []
    for number in range(6):
        tree = tmp_path / f"tree{number}"
        for name in range(30):
            trees.write(tree / str(name), f"{number} {name}\n".encode())
        trees.write(tree / "shared", b"the same in all\n" * 1000)
        writers.append(
            BOTH[number % 2].argv(
                f"--repo={repo}", "commit", "-b", f"ref{number}", f"--tree=dir={tree}"
            )
        )
    pruners = [tool.argv(f"--repo={repo}", "prune", "--refs-only") for tool in BOTH]
    running = [
        (
            argv,
            subprocess.Popen(
                argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment()
            ),
        )
        for argv in [
            writers[0],
            writers[1],
            pruners[0],
            writers[2],
            writers[3],
            pruners[1],
            *writers[4:],
        ]
    ]
    for argv, process in running:
        _out, stderr = process.communicate(timeout=200)
        assert process.returncode == 0, (argv, stderr.decode())
    for tool in BOTH:
        tool(f"--repo={repo}", "fsck")
        assert len(tool(f"--repo={repo}", "refs").split()) == 6
        for number in range(6):
            target = tmp_path / f"out-{tool.name}-{number}"
            tool(f"--repo={repo}", "checkout", "-U", f"ref{number}", target)
            assert len(list(target.iterdir())) == 31


@pytest.mark.parametrize("maker", BOTH, ids=["made by ours", "made by peer"])
def test_an_exclusive_lock_keeps_both_tools_out(tmp_path, maker):
    """The lock file is one and the same: while somebody holds it, a prune by either is refused."""
    repo = tmp_path / "repo"
    maker("init", f"--repo={repo}", "--mode=archive")
    trees.write(tmp_path / "tree/file", b"x")
    maker(f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}")
    with (repo / "config").open("a") as config:
        config.write("lock-timeout-secs=1\n")
    with (repo / ".lock").open("a") as lock:
        # As libostree locks: an open file description lock on the whole file.
        whole_file = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, whole_file)
        for tool in BOTH:
            words = tool.fails(f"--repo={repo}", "prune", "--refs-only")
            assert "lock" in words.lower()
    for tool in BOTH:
        tool(f"--repo={repo}", "prune", "--refs-only")


@pytest.mark.parametrize("source", MODES)
@pytest.mark.parametrize("target", MODES)
def test_pull_local_between_modes(tmp_path, source, target):
    tree = tmp_path / "tree"
    tree.mkdir()
    if "bare-user-only" in (source, target):
        trees.plain_tree(tree)
    else:
        trees.full_tree(tree)
    PEER("init", f"--repo={tmp_path / 'source'}", f"--mode={source}")
    canonical = ["--canonical-permissions"] if "bare-user-only" in (source, target) else []
    arguments = ["-b", "main", "--timestamp=@1700000000", *canonical, f"--tree=dir={tree}"]
    checksum = PEER(f"--repo={tmp_path / 'source'}", "commit", *arguments)
    held = {}
    for tool in BOTH:
        repo = tmp_path / tool.name
        tool("init", f"--repo={repo}", f"--mode={target}")
        tool(f"--repo={repo}", "pull-local", "--remote=origin", tmp_path / "source", "main")
        assert PEER(f"--repo={repo}", "rev-parse", "origin:main") == checksum
        PEER(f"--repo={repo}", "fsck")
        OURS(f"--repo={repo}", "fsck")
        held[tool.name] = {str(p.relative_to(repo)) for p in (repo / "objects").rglob("*.*")}
    assert held["ours"] == held["peer"]
