# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a verb cleanly; a lock waited for names its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command, clean_environment

LARGE = 96 * 1024 * 1024
WHOLE_FILE = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
WRITE = 1 if platform.machine() == "x86_64" else 64


@pytest.fixture(autouse=True)
def interrupts_count() -> Iterator[None]:
    """Also where these tests run in the background of a shell, which ignores interrupts there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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
    for _ in range(2000):
        with contextlib.suppress(FileNotFoundError), (repo / ".lock").open("r+b") as stream:
            try:
                fcntl.fcntl(stream, fcntl.F_OFD_SETLK, WHOLE_FILE)
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


def interrupt(process: subprocess.Popen[str], sent: signal.Signals = signal.SIGINT) -> str:
    """Signal a command and all its workers at one moment, as a terminal does; its last words."""
    os.killpg(process.pid, signal.SIGSTOP)
    assert process.poll() is None, "it was done before the signal came"
    os.killpg(process.pid, sent)
    os.killpg(process.pid, signal.SIGCONT)
    _out, words = process.communicate(timeout=60)
    assert process.returncode == 128 + sent, words
    assert words.strip() in {"error: Interrupted", "error: Terminated"}, words
    return words


def wait_until(condition: Callable[[], object]) -> None:
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.002)
    raise AssertionError("it never came so far")


def reads_an_object(process: subprocess.Popen[str]) -> bool:
    """Whether a command has an object open at this moment."""
    with contextlib.suppress(FileNotFoundError):
        return any(
            os.readlink(f"/proc/{process.pid}/fd/{fd}").endswith(".filez")
            for fd in os.listdir(f"/proc/{process.pid}/fd")
        )
    return False


def check_untouched(repo: Path, before: str) -> None:
    """Nothing is left over, nothing is locked, and the ref is where it was."""
    assert left_over(repo) == []
    with (repo / ".lock").open("r+b") as stream:
        fcntl.fcntl(stream, fcntl.F_OFD_SETLK, WHOLE_FILE)
    assert OURS(f"--repo={repo}", "rev-parse", "main") == before
    OURS(f"--repo={repo}", "prune", "--refs-only")
    OURS(f"--repo={repo}", "fsck")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("working", [False, True], ids=["scanning", "writing"])
def test_a_commit_interrupted(repo, tree, sent, working):
    before = OURS(f"--repo={repo}", "rev-parse", "main")
    process = start(OURS, f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tree}")
    wait_for_lock(repo)
    if working:
        wait_until(lambda: list(repo.glob("tmp/staging-*/??/*")))
    interrupt(process, sent)
    check_untouched(repo, before)


@pytest.fixture(scope="module")
def source(tmp_path_factory, tree) -> Path:
    """A repository with the large tree, and one change of it."""
    path = tmp_path_factory.mktemp("source") / "repo"
    OURS("init", f"--repo={path}", "--mode=archive")
    OURS(f"--repo={path}", "commit", "-b", "main", f"--tree=dir={tree}")
    return path


BUSY = {
    "checkout": lambda source, folder: (f"--repo={source}", "checkout", "-UC", "main", folder / "out"),
    "fsck": lambda source, _folder: (f"--repo={source}", "fsck"),
    "pull-local": lambda source, folder: (
        f"--repo={folder / 'target'}", "pull-local", "--untrusted", source, "main",
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", BUSY)
def test_busy_verbs_interrupted(tmp_path, source, verb):
    before = OURS(f"--repo={source}", "rev-parse", "main")
    target = tmp_path / "target"
    OURS("init", f"--repo={target}", "--mode=bare-user")
    process = start(OURS, *BUSY[verb](source, tmp_path))
    wait_until(lambda: reads_an_object(process))
    interrupt(process)
    check_untouched(source, before)
    assert left_over(target) == []
    assert OURS(f"--repo={target}", "refs") == ""


@pytest.fixture(scope="module")
def talkative(tmp_path_factory) -> Path:
    """A repository of which every verb has more to say than a pipe holds."""
    folder = tmp_path_factory.mktemp("talkative")
    tree, path = folder / "tree", folder / "repo"
    OURS("init", f"--repo={path}", "--mode=archive")
    (tree / "empty").mkdir(parents=True)
    trees.write(folder / "words", b"words " * 50_000)
    small = ["-b", "small", f"--tree=dir={tree}", "-F", folder / "words"]
    OURS(f"--repo={path}", "commit", *small)
    for number in range(1500):
        trees.write(tree / f"{number}-{'n' * 100}")
    trees.write(tree / "large", b"a line\n" * 70_000)
    OURS(f"--repo={path}", "commit", "-b", "main", f"--tree=dir={tree}")
    commit = OURS(f"--repo={path}", "rev-parse", "main")
    for number in range(1000):
        trees.write(path / f"refs/heads/{number}-{'r' * 100}", f"{commit}\n".encode())
    return path


TALKATIVE = {
    "ls": ("ls", "-R", "main"),
    "ls-json": ("ls", "-R", "--json", "main"),
    "cat": ("cat", "main", "/large"),
    "diff": ("diff", "small", "main"),
    "export": ("export", "main"),
    "log": ("log", "small"),
    "show": ("show", "small"),
    "refs": ("refs",),
}


@pytest.mark.parametrize("verb", TALKATIVE)
def test_talkative_verbs_interrupted(talkative, verb):
    """Whoever should read them does not."""
    process = start(OURS, f"--repo={talkative}", *TALKATIVE[verb])
    assert process.stdout is not None
    wait_until(lambda: waits_in_a_write(process.pid))
    interrupt(process)
    assert left_over(talkative) == []


def waits_in_a_write(pid: int) -> bool:
    """Whether a process sleeps in the system call write, to its stdout."""
    call = Path(f"/proc/{pid}/syscall").read_text().split()
    return (
        call[:2] == [str(WRITE), "0x1"] and Path(f"/proc/{pid}/stat").read_text().split()[2] == "S"
    )


WAITING = {
    "commit": ("commit", "-b", "main", "--tree=ref=main"),
    "prune": ("prune", "--refs-only"),
    "reset": ("reset", "main", "main^"),
    "pull-local": ("pull-local", "SOURCE", "main"),
}


@pytest.mark.parametrize("verb", WAITING)
def test_verbs_that_wait_for_the_lock_interrupted(repo, source, verb):
    OURS(f"--repo={repo}", "commit", "-b", "main", "--tree=ref=main")
    before = OURS(f"--repo={repo}", "rev-parse", "main")
    words = [source if word == "SOURCE" else word for word in WAITING[verb]]
    with (repo / ".lock").open("r+b") as stream:
        fcntl.fcntl(stream, fcntl.F_OFD_SETLK, WHOLE_FILE)
        process = start(OURS, f"--repo={repo}", *words)
        assert process.stderr is not None
        told = process.stderr.readline()
        assert "lock" in told, told
        interrupt(process)
    check_untouched(repo, before)


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
