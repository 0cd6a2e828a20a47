# SPDX-License-Identifier: Apache-2.0
"""The same changes in a guest with a kernel that knows VFAT: the writes to its whole disk are recorded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from support import vm_python
from support.blklog import copy_sparse, count_entries, drive_options, make_log
from support.cut_world import STATE, CutMachine, Step
from support.disk_images import MIB, make_disk
from support.disk_judge import SYSTEMD_BOOT
from support.qemu import FAST_KARGS, Disk, Guest, qemu_argv

_SCRIPT = """\
import subprocess
from pathlib import Path
from support.cut_world import CutMachine, play_trials

root = Path("/tmp/root")
root.mkdir()
subprocess.run(["/bin/busybox", "mount", "-t", "ext4", "/dev/vdb2", root], check=True)
if {is_flat}:
    subprocess.run(["/bin/busybox", "mount", "-t", "vfat", "/dev/vdb1", root / "boot"], check=True)
machine = CutMachine.attach(root, Path("/tmp"))
play_trials(machine, "{second}", "{third}")
print("STEPS done", flush=True)
input()
"""
_STARTED_WITHIN_S, _DONE_WITHIN_S = 120, 180


class GuestDisk(NamedTuple):
    """What was recorded."""

    base: Path
    log: Path


def record_in_guest(machine: CutMachine, folder: Path) -> GuestDisk:
    """Play trials on a disk with what a machine has, FAT first; the machine's steps are noted."""
    second, third = machine.release("2"), machine.release("4")
    is_flat = machine.loader == SYSTEMD_BOOT
    fat = folder / "fat"
    if is_flat:
        machine.close()
        (machine.root / "boot").rename(fat)
        (machine.root / "boot").mkdir()
    else:
        shutil.copytree(machine.root / STATE, fat)
        machine.configure("ostrya", rollback_state="/dev/vdb1")
        machine.close()
    base = make_disk(
        machine.root, fat, folder / "base.img", fat_bytes=32 * MIB, root_bytes=96 * MIB
    )
    script = _SCRIPT.format(is_flat=is_flat, second=second, third=third)
    vm = vm_python.build(folder, script)
    image, log = folder / "disk.img", make_log(folder / "disk.log")
    copy_sparse(base, image)
    argv = qemu_argv(
        kernel=vm.kernel, initrd=vm.ramdisk, append=f"console=ttyS0 loglevel=4 panic=-1 {FAST_KARGS}",
        disks=[Disk(vm.disk)],
        extra=[*drive_options(image, log, "logged"), "-device", "virtio-blk-pci,drive=logged"],
    )  # fmt: skip
    with Guest(argv) as guest:
        timeout = _STARTED_WITHIN_S
        while True:
            found = guest.expect(r"^STEPS done|^STEP (\S+) (\S+) ([01])$", timeout)
            if found[1] is None:
                break
            machine.steps.append(Step(found[1], found[2], found[3] == "1", count_entries(log)))
            guest.send("")
            timeout = _DONE_WITHIN_S
    return GuestDisk(base, log)
