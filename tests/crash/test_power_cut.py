# SPDX-License-Identifier: Apache-2.0
"""Wherever power is cut, a disk starts the system of before the change or the one of after it, whole.

All that a change writes is recorded, with the flushes between; each state that a power cut could leave
is built from that, and judged by what a loader and the ramdisk would read of it. What a command had
finished is there for good.
"""

from __future__ import annotations

import pytest

from support import recorded_disk
from support.blklog import Bounds
from support.cut_world import GRUB, UBOOT, CutMachine, judge_all, play_trials, record

pytestmark = [pytest.mark.crash, pytest.mark.root, pytest.mark.loop, pytest.mark.timeout(3600)]


def trials(machine: CutMachine) -> None:
    """A good release, and a bad one that is rolled back."""
    play_trials(machine, machine.second, machine.third)


def staged(machine: CutMachine) -> None:
    """Finalized at shutdown; then the old one is made the default again, and the new one goes."""
    machine.step_finalize(machine.second)
    machine.step_swap()
    machine.step_swap()
    machine.step_undeploy()


def one_kernel(machine: CutMachine) -> None:
    """Nothing changes but where links lead to."""
    machine.step_deploy(machine.second)
    machine.step_deploy(machine.third)
    machine.step_deploy(machine.first)
    swaps = [words for words in machine.said if "bootconfig swap" in words]
    assert all("bootconfig swap: no" in words for words in swaps[-2:])


@pytest.mark.parametrize(
    ("play", "loader", "options"),
    [
        (trials, UBOOT, {}),
        (trials, GRUB, {}),
        (staged, UBOOT, {}),
        (staged, GRUB, {"rollback": False}),
        (one_kernel, UBOOT, {"rollback": False}),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_power_cut(tmp_path, play, loader, options, crash_full, record_property):
    if reason := recorded_disk.missing():
        pytest.skip(reason)
    machine = CutMachine(tmp_path, loader, **options)
    # Of one version, releases differ in their programs only.
    versions = ("1", "1") if play is one_kernel else ("2", "4")
    machine.second, machine.third = map(machine.release, versions)
    disk = record(machine, play)
    report = judge_all(
        machine, disk, Bounds() if crash_full else Bounds(3, 1), every=1 if crash_full else 5
    )
    record_property(
        "told", f"{play.__name__}, {loader}|{report.judged} power cuts|{len(report.problems)} wrong"
    )
    assert not report.problems, "\n".join(report.problems)
    assert report.judged > 20
