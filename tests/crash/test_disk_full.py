# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up at any write of a command: a sentence, the old state whole, a rerun succeeds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mounts, trees
from support.commands import OURS, PEER
from support.disk_filling import fill, free_blocks, make_room, sync

pytestmark = [
    pytest.mark.crash, pytest.mark.peer, pytest.mark.root, pytest.mark.loop, pytest.mark.timeout(1200),
]  # fmt: skip

DISK_BYTES = 24 * 1024 * 1024
SAMPLE = 12
WHEN = "--timestamp=@1700000000"


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A small ext4."""
    if reason := mounts.missing("ext4"):
        pytest.skip(reason)
    folder = tmp_path / "disk"
    try:
        yield mounts.mount("ext4", folder, size=DISK_BYTES)
    finally:
        mounts.unmount(folder)


def make_tree(top: Path) -> Path:
    for number in range(12):
        trees.write(
            top / f"d{number % 3}" / f"file{number}",
            trees.seeded_bytes(3_000 * (number + 1), number),
        )
    trees.write(top / "text", b"a line\n" * 20_000)
    return top


class Place:
    """A repository on the small disk, and a command that changes it.

    Attributes:
        old, new: Where the ref points before and after.
    """

    def __init__(self, folder: Path, disk: Path, mode: str, verb: str) -> None:
        self.disk, self.repo, self.base = disk, disk / "repo", folder / "base"
        tree = make_tree(folder / "tree")
        PEER("init", f"--repo={self.base}", f"--mode={mode}")
        with (self.base / "config").open("a") as config:
            config.write("min-free-space-percent=0\n")
        base, source = f"--repo={self.base}", f"--repo={folder / 'source'}"
        self.old = PEER(base, "commit", "-b", "main", "-s", "old", WHEN, f"--tree=dir={tree}/d0")
        commit = [
            "commit",
            "-b",
            "main",
            "-s",
            "new",
            WHEN,
            f"--parent={self.old}",
            f"--tree=dir={tree}",
        ]
        PEER("init", source, "--mode=archive")
        PEER(source, "pull-local", self.base, "main")
        self.new = PEER(source, *commit)
        pull = ["pull-local", str(folder / "source"), "main"]
        self.arguments = {
            "commit": commit,
            "pull-local": pull,
            "reset": ["reset", "main", self.old],
            "prune": ["prune", "--refs-only", "--depth=0"],
        }[verb]
        if verb in {"reset", "prune"}:
            PEER(base, *pull)
            self.old, self.new = self.new, self.old if verb == "reset" else self.new

    def restore(self) -> None:
        """The old state, and no filler."""
        make_room(self.disk)
        shutil.rmtree(self.repo, ignore_errors=True)
        shutil.copytree(self.base, self.repo, symlinks=True)
        sync(self.disk)

    def needed_blocks(self) -> int:
        """How many blocks the command takes where there is room."""
        self.restore()
        before = free_blocks(self.disk)
        OURS(f"--repo={self.repo}", *self.arguments)
        return before - free_blocks(self.disk)

    def ref(self) -> str:
        """Where the ref points by the peer's reading."""
        return PEER(f"--repo={self.repo}", "rev-parse", "main")

    def run_full(self, blocks: int) -> bool:
        """Run with so many blocks free; whether it was refused, the old state being whole then."""
        self.restore()
        fill(self.disk, blocks)
        done = OURS.run(f"--repo={self.repo}", *self.arguments)
        words = done.stderr.decode()
        assert "Traceback" not in words, words
        if done.returncode == 0:
            assert self.ref() == self.new
        else:
            assert "No space left on device" in words or "min-free-space" in words, (blocks, words)
            assert self.ref() in {self.old, self.new}
        PEER(f"--repo={self.repo}", "fsck", "-q")
        return done.returncode != 0

    def run_again(self) -> None:
        """Make room and run once more."""
        make_room(self.disk)
        OURS(f"--repo={self.repo}", *self.arguments)
        assert self.ref() == self.new
        PEER(f"--repo={self.repo}", "fsck", "-q")


@pytest.mark.parametrize("mode", ["archive", "bare", "bare-user"])
@pytest.mark.parametrize("verb", ["commit", "pull-local"])
def test_disk_full_at_any_write(tmp_path, disk, mode, verb, crash_full, record_property):
    place = Place(tmp_path, disk, mode, verb)
    needed = place.needed_blocks()
    assert needed > 0
    steps = list(range(needed + 8))
    if not crash_full:
        steps = [steps[round(i * (len(steps) - 1) / (SAMPLE - 1))] for i in range(SAMPLE)]
    refused = 0
    for blocks in steps:
        refused += place.run_full(blocks)
        place.run_again()
    assert refused, "the disk was never full"
    told = f"{verb} to {mode}, disk full|{len(steps)} fillings, {refused} refused|{needed} blocks needed"
    record_property("told", told)


@pytest.mark.parametrize("mode", ["archive", "bare"])
@pytest.mark.parametrize("verb", ["reset", "prune"])
def test_small_changes_where_nothing_is_left(tmp_path, disk, mode, verb, record_property):
    place = Place(tmp_path, disk, mode, verb)
    fillings = range(12)
    refused = 0
    for blocks in fillings:
        refused += place.run_full(blocks)
        place.run_again()
    assert bool(refused) == (verb == "reset"), "pruning needs no room, a ref needs some"
    told = f"{verb} in {mode}, disk full|{len(fillings)} fillings, {refused} refused|a few blocks needed"
    record_property("told", told)


@pytest.mark.parametrize("setting", ["min-free-space-percent=99", "min-free-space-size=1GB"])
def test_the_reserve_is_kept(tmp_path, disk, setting):
    """Below the reserve a commit is refused before it writes, with the setting named as libostree does."""
    tree = make_tree(tmp_path / "tree")
    words = {}
    for tool in (OURS, PEER):
        repo = disk / tool.name
        PEER("init", f"--repo={repo}", "--mode=bare")
        with (repo / "config").open("a") as config:
            config.write(f"{setting}\n")
        words[tool.name] = tool.fails(
            f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tree}"
        )
        assert setting.partition("=")[0] in words[tool.name]
        assert PEER(f"--repo={repo}", "refs") == ""
