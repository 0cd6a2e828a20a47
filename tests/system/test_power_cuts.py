# SPDX-License-Identifier: Apache-2.0
"""Power cuts in a guest, whose FAT has the record of U-Boot or GRUB, or all that systemd-boot reads.

What is judged, and how, is the same as in ``tests/crash/test_power_cut.py``.
"""

from __future__ import annotations

import pytest

import vm_tree
from support import disk_images, qemu
from support.blklog import Bounds
from support.cut_guest import record_in_guest
from support.cut_world import CutMachine, judge_all
from support.disk_judge import GRUB, SYSTEMD_BOOT, UBOOT

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600), pytest.mark.xdist_group("vm")]


@pytest.mark.parametrize("loader", [UBOOT, GRUB, SYSTEMD_BOOT])
def test_power_cut(tmp_path, loader, crash_full, record_property):
    for reason in (qemu.missing(), vm_tree.missing(), disk_images.missing()):
        if reason:
            pytest.skip(reason)
    machine = CutMachine(tmp_path, loader)
    disk = record_in_guest(machine, tmp_path)
    bounds, every = (Bounds(), 1) if crash_full else (Bounds(3, 1), 5)
    report = judge_all(machine, disk, bounds, every=every, record_folder=None)
    record_property(
        "told",
        f"a guest's disk, {loader}|{report.judged} states that power cuts could leave",
    )
    assert not report.problems, "\n".join(report.problems)
    assert report.judged > 20
