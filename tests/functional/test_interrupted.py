# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a verb cleanly; a lock waited for names its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command, clean_environment

LARGE = 96 * 1024 * 1024


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """Enough that committing it takes a good second."""
    top = tmp_path_factory.mktemp("large") / "tree"
    for number in range(24):
        trees.write(top / f"file{number}", trees.seeded_bytes(LARGE // 24, number))
    return top


@pytest.fixture
def repo(tmp_path) -> Path:
    path = tmp_path / "repo"
    OURS("init", f"--repo={path}", "--mode=archive")
    trees.write(tmp_path / "small/file", b"small\n")
    OURS(f"--repo={path}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'small'}")
    return path


def start(tool: Command, *words: str | Path) -> subprocess.Popen[str]:
    """A command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        tool.argv(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=clean_environment(), process_group=0,
    )  # fmt: skip


def wait_for_lock(repo: Path) -> None:
    """Until somebody holds the repository's lock."""
    whole_file = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    for _ in range(2000):
        with contextlib.suppress(FileNotFoundError), (repo / ".lock").open("r+b") as stream:
            try:
                fcntl.fcntl(stream, fcntl.F_OFD_SETLK, whole_file)
            except OSError:
                return
        time.sleep(0.002)
    raise AssertionError("nobody took the lock")


def left_over(repo: Path) -> list[str]:
    """What is in the repository's folder for temporaries, but for its standing parts."""
    return [
        p.name
        for p in (repo / "tmp").iterdir()
        if p.name != "cache" and not p.name.endswith("-lock")
    ]


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
@pytest.mark.parametrize("pause_s", [0.0, 0.3])
def test_a_commit_interrupted(repo, tree, sent, status, pause_s):
    before = OURS(f"--repo={repo}", "rev-parse", "main")
    process = start(OURS, f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tree}")
    wait_for_lock(repo)
    time.sleep(pause_s)
    os.killpg(process.pid, sent)
    _out, words = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert process.returncode == status, words
    assert "Traceback" not in words, words
    assert left_over(repo) == []
    assert OURS(f"--repo={repo}", "rev-parse", "main") == before
    OURS(f"--repo={repo}", "prune", "--refs-only")
    OURS(f"--repo={repo}", "fsck")


@pytest.mark.parametrize("verb", ["checkout", "fsck", "pull-local"])
def test_other_verbs_interrupted(tmp_path, tree, verb):
    source = tmp_path / "source"
    OURS("init", f"--repo={source}", "--mode=archive")
    OURS(f"--repo={source}", "commit", "-b", "main", f"--tree=dir={tree}")
    target = tmp_path / "target"
    OURS("init", f"--repo={target}", "--mode=bare-user")
    words = {
        "checkout": (f"--repo={source}", "checkout", "-U", "-C", "main", tmp_path / "out"),
        "fsck": (f"--repo={source}", "fsck"),
        "pull-local": (f"--repo={target}", "pull-local", "--untrusted", source, "main"),
    }[verb]
    process = start(OURS, *words)
    time.sleep(0.15)
    os.killpg(process.pid, signal.SIGINT)
    _out, stderr = process.communicate(timeout=60)
    assert process.returncode in {130, 0}, stderr
    assert "Traceback" not in stderr, stderr
    assert left_over(target) == []
    OURS(f"--repo={source}", "fsck")


@contextlib.contextmanager
def held(tool: Command, repo: Path, tree: Path) -> Iterator[int]:
    """A writer stopped in the middle of its work, holding its lock; its pid."""
    process = start(tool, f"--repo={repo}", "commit", "-b", "other", f"--tree=dir={tree}")
    try:
        wait_for_lock(repo)
        os.killpg(process.pid, signal.SIGSTOP)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGCONT)
        _out, words = process.communicate(timeout=120)
        assert process.returncode == 0, words


@pytest.mark.peer
@pytest.mark.parametrize("holder", [OURS, PEER], ids=["ours", "peer"])
def test_a_lock_waited_for_names_its_holder(repo, tree, holder):
    with (repo / "config").open("a") as config:
        config.write("lock-timeout-secs=1\n")
    with held(holder, repo, tree) as pid:
        words = OURS.fails(f"--repo={repo}", "prune", "--refs-only")
        assert str(pid) in words
        assert "commit" in words
        assert "since" in words
        assert "lock" in PEER.fails(f"--repo={repo}", "prune", "--refs-only").lower()
    OURS(f"--repo={repo}", "prune", "--refs-only")
    PEER(f"--repo={repo}", "fsck")
