# SPDX-License-Identifier: Apache-2.0
"""Killed at any step of a change, a sysroot boots the old system or the new one, whole.

After each kill a judge that knows nothing of our code reads what a boot loader reads: every entry
names a kernel and a ramdisk that are whole, and leads to a deployment that is its commit to the
last byte, with a complete ``/etc``; what U-Boot and SYSLINUX read names the same. Then the command
is run again, and leaves just what a run leaves that nobody disturbed.

``make test`` stops each scene at a few steps, evenly spread; ``make crash-full`` at all of them.
"""

from __future__ import annotations

import pytest

from support import crashes, mounts
from support.sysroot_scenes import SCENES, Place, Trial

pytestmark = [
    pytest.mark.crash, pytest.mark.peer, pytest.mark.root, pytest.mark.timeout(1800),
]  # fmt: skip

CALLS = crashes.PUBLISHING + crashes.REMOVING + crashes.MAKING
SAMPLE = 7


@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_step(tmp_path, name, crash_full, record_property):
    scene, steps = SCENES[name], []
    log = tmp_path / "strace"
    try:
        place = Place(tmp_path, is_flat=scene.is_flat, boot_bytes=scene.boot_bytes)
        trial = Trial(place, scene, lambda argv: steps.extend(crashes.find_steps(argv, log, CALLS)))
        reached = 0
        for step in steps if crash_full else crashes.sample_steps(steps, SAMPLE):
            place.restore()
            reached += crashes.run_and_kill(trial.command, log, step)
            where = f"{name}, killed at {step}"
            trial.finish(where, is_done=trial.check(where))
        assert reached, "no point was reached"
        record_property("told", f"{name}|{reached} kills|{len(steps)} steps")
    finally:
        mounts.unmount(tmp_path)
