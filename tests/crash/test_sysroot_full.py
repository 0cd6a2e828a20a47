# SPDX-License-Identifier: Apache-2.0
"""A disk or a ``/boot`` that is full at any write of a change: a sentence, the old system boots.

What boots is judged as after a kill; once there is room, the same command succeeds.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import crashes, mounts
from support.commands import clean_environment
from support.disk_filling import fill, make_room
from support.sysroot_scenes import LARGE_KERNEL, SCENES, SMALL_BOOT, Place, Trial, no_room_for_three

pytestmark = [
    pytest.mark.crash, pytest.mark.peer, pytest.mark.root, pytest.mark.loop, pytest.mark.timeout(1800),
]  # fmt: skip

DISK_BYTES = 24 << 20
MOST_BLOCKS = 128
SAMPLE = 3
NO_SPACE = "No space left on device"
ON_FULL_DISK = (
    "deploy, /etc merged",
    "deploy, same kernel",
    "deploy, entries one by one",
    "undeploy",
    "upgrade",
    "stage",
    "finalize",
)
# How many blocks are enough: those of a kernel, and what is kept free, or of entries alone.
ON_FULL_BOOT = {
    "deploy, /etc merged": 2048,
    "deploy, other arguments": 8,
    "undeploy": 8,
    "stage": 2048,
    "finalize": 8,
}


@pytest.fixture
def make_place(tmp_path):
    yield lambda **options: Place(tmp_path, **options)
    mounts.unmount(tmp_path)


class Filled:
    """A trial on a disk that has little room.

    Attributes:
        refused: How often the command was.
        tried: How often it was run.
    """

    def __init__(self, trial: Trial, disk: Path, name: str) -> None:
        self.trial, self._disk, self._name = trial, disk, name
        self.refused = self.tried = 0

    def run(self, blocks: int) -> bool:
        """Run with so many blocks free; whether it was enough."""
        place = self.trial.place
        place.restore()
        fill(self._disk, blocks)
        where = f"{self._name}, {blocks} blocks free"
        done = subprocess.run(
            self.trial.command, env=clean_environment(), capture_output=True, text=True, check=False
        )
        is_done = self.trial.check(where)
        if done.returncode != 0:
            self.refused += 1
            check_words(done.stderr, where)
        make_room(self._disk)
        if "has no room for" in done.stderr:
            assert place.left() == place.left_before, where
        self.tried += 1
        self.trial.finish(where, is_done=is_done)
        return done.returncode == 0

    def search(self, most: int) -> None:
        """Run with none free, and with those that a search for the least that is enough takes."""
        self.run(0)
        low, high = 1, most
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.run(middle) else (middle + 1, high)


def check_words(words: str, where: str) -> None:
    """One sentence says what could not be written, and why."""
    assert "Traceback" not in words, (where, words)
    named = re.search(rf"^error: [^\s:]*/[^\s:]+: {NO_SPACE}$", words, re.MULTILINE)
    assert "has no room for" in words or named, (where, words)


@pytest.mark.parametrize("name", ON_FULL_DISK)
def test_disk_full(tmp_path, make_place, name, crash_full, record_property):
    if reason := mounts.missing("ext4"):
        pytest.skip(reason)
    disk = mounts.mount("ext4", tmp_path / "disk", size=DISK_BYTES)
    (tmp_path / "sysroot").mkdir()
    mounts.run("mount", "--bind", str(disk), str(tmp_path / "sysroot"))
    scene = SCENES[name]
    place = make_place(is_flat=scene.is_flat)
    place.machine.set("core.min-free-space-percent", "0")
    filled = Filled(Trial(place, scene), place.root, name)
    filled.search(MOST_BLOCKS)
    if crash_full:
        blocks = 1
        while not filled.run(blocks):
            blocks += 1
    assert filled.refused, "the disk was never full"
    told = f"{name}, disk full|{filled.tried} fillings|{filled.refused} refused"
    record_property("told", told)


@pytest.mark.parametrize("name", ON_FULL_BOOT)
def test_boot_full(make_place, name, crash_full, record_property):
    scene = SCENES[name]
    place = make_place(boot_bytes=SMALL_BOOT)
    boot = place.root / "boot"
    filled = Filled(Trial(place, scene), boot, name)
    most = ON_FULL_BOOT[name]
    filled.search(most)
    for blocks in range(1, 12 if crash_full else 1):
        filled.run(blocks)
    assert filled.run(most)
    assert filled.refused, "/boot was never full"
    told = f"{name}, /boot full|{filled.tried} fillings|{filled.refused} refused"
    record_property("told", told)


def test_finalized_in_vain_and_why(make_place):
    place = make_place(boot_bytes=SMALL_BOOT)
    trial = Trial(place, SCENES["finalize"])
    place.restore()
    # Behind the note, so that there is room for the reason but none for an entry.
    blocker = place.root / "boot/loader.0"
    shutil.rmtree(blocker, ignore_errors=True)
    blocker.write_text("in the way\n")
    done = subprocess.run(
        trial.command, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    reason = (place.root / "boot/ostree/finalize-failure.stamp").read_text()
    assert reason in done.stderr
    assert place.commits() == place.before
    deployments = list((place.root / "ostree/deploy/test/deploy").glob("*.[0-9]"))
    assert len(deployments) == len(place.before)


def test_no_room_for_three(make_place):
    place = make_place(boot_bytes=SMALL_BOOT)
    no_room_for_three(place)
    place.save()
    refused = place.machine.ours.fails("admin", "deploy", "--os=test", "test/os")
    assert "/boot has no room for 6 MB" in refused
    assert "--early-prune lets go of them first" in refused
    assert place.left() == place.left_before
    place.machine.deploy("--early-prune")
    second, _first = place.before
    assert place.commits()[1:] == [second]
    # The next one has the same kernel as none of them, and is as large.
    place.machine.release("4", kernel_bytes=2 * LARGE_KERNEL)
    assert "undeploy what is not needed" in place.machine.ours.fails(
        "admin", "deploy", "--os=test", "--early-prune", "test/os"
    )


@pytest.mark.parametrize("name", SCENES)
def test_any_write_fails(tmp_path, make_place, name, crash_full, record_property):
    scene, log = SCENES[name], tmp_path / "strace"
    place = make_place(is_flat=scene.is_flat, boot_bytes=scene.boot_bytes)
    steps: list[crashes.Point] = []
    trial = Trial(
        place, scene, lambda argv: steps.extend(crashes.find_steps(argv, log, crashes.WRITING))
    )
    failed = 0
    for step in steps if crash_full else crashes.sample_steps(steps, SAMPLE):
        place.restore()
        where = f"{name}, no room at {step}"
        done = crashes.run_and_fail(trial.command, log, step, "ENOSPC")
        is_done = trial.check(where)
        failed += done.returncode != 0
        if done.returncode != 0:
            check_words(done.stderr, where)
        trial.finish(where, is_done=is_done)
    assert failed, "nothing failed"
    record_property("told", f"{name}, no room|{failed} failures|{len(steps)} steps")
