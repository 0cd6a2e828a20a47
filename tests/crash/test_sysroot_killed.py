# SPDX-License-Identifier: Apache-2.0
"""Killed at any step of a change, a sysroot boots the old system or the new one, whole.

After each kill a judge that knows nothing of our code reads what a boot loader reads: every entry
names a kernel and a ramdisk that are whole, and leads to a deployment that is its commit to the
last byte, with a complete ``/etc``; what U-Boot, SYSLINUX and GRUB read names the same, or on EFI what
is there as well. Then the command is run again, and leaves just what a run leaves that nobody disturbed.

``make test`` looks for the step that makes the new system the default, and so kills most closely
around it; ``make crash-full`` kills at all of them.
"""

from __future__ import annotations

import pytest

from support import crashes, mounts
from support.sysroot_scenes import SCENES, Place, Trial

pytestmark = [
    pytest.mark.crash, pytest.mark.peer, pytest.mark.root, pytest.mark.timeout(1800),
]  # fmt: skip

CALLS = crashes.PUBLISHING + crashes.REMOVING + crashes.MAKING
SAMPLE = 8
BEHIND = 2


class Killing:
    """A trial that is killed.

    Attributes:
        steps: Where it can be, in their order.
        reached: How often it was.
    """

    def __init__(self, place: Place, name: str) -> None:
        self._name, self._log = name, place.top / "strace"
        self.steps: list[crashes.Point] = []
        self.trial = Trial(place, SCENES[name], self._find_steps)
        self.reached = 0

    def _find_steps(self, argv: list[str]) -> None:
        self.steps += crashes.find_steps(argv, self._log, CALLS)

    def kill(self, at: int) -> bool:
        """Kill it at a step, judge, and run it again; whether the switch had been made."""
        self.trial.place.restore()
        step = self.steps[at]
        self.reached += crashes.run_and_kill(self.trial.command, self._log, step)
        where = f"{self._name}, killed at step {at}, {step}"
        is_done = self.trial.check(where)
        self.trial.finish(where, is_done=is_done)
        return is_done

    def search_switch(self) -> None:
        """Kill it where a search for the one step that switches leads, and right behind that."""
        low, high = 0, len(self.steps)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.kill(middle) else (middle, high)
        for at in range(high + 1, min(high + 1 + BEHIND, len(self.steps))):
            self.kill(at)


@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_step(tmp_path, name, crash_full, record_property):
    scene = SCENES[name]
    try:
        place = Place(tmp_path, is_flat=scene.is_flat, boot_bytes=scene.boot_bytes)
        killing = Killing(place, name)
        if crash_full:
            for at in range(len(killing.steps)):
                killing.kill(at)
        elif killing.trial.switches:
            killing.search_switch()
        else:
            for step in crashes.sample_steps(killing.steps, SAMPLE):
                killing.kill(killing.steps.index(step))
        assert killing.reached, "no step was reached"
        told = f"{name}|{killing.reached} kills|{len(killing.steps)} steps"
        record_property("told", told)
    finally:
        mounts.unmount(tmp_path)
