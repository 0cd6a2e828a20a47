# SPDX-License-Identifier: Apache-2.0
"""A real U-Boot of 64-bit ARM in QEMU, and a kernel that says the device tree that it was given."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ostrya.boot.backends.uboot_trial import ScriptBoard

DEBIAN_UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
MACHINE = ("-machine", "virt", "-cpu", "cortex-a53", "-m", "256")
BOARD = ScriptBoard("booti", fdt_addr="0x43000000", overlay_addr="0x43800000")
_FDT_MAGIC = b"\xd0\x0d\xfe\xed"


def missing(firmware: Path = DEBIAN_UBOOT) -> str:
    """Empty if it can be started, else why not."""
    for program in ("qemu-system-aarch64", "sgdisk", "mcopy", "dtc"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return "" if firmware.exists() else f"{firmware} is not there"


def run_uboot(disk: Path, log: Path, firmware: Path = DEBIAN_UBOOT) -> tuple[str, bytes]:
    """Switch it on, and wait until it is off; return what was said, and the kernel's device tree.

    The tree is empty if no kernel was started.
    """
    argv = [
        "qemu-system-aarch64", "-accel", "tcg", *MACHINE, "-nodefaults", "-display", "none",
        "-serial", "stdio", "-nic", "none", "-no-reboot", "-bios", str(firmware),
        "-drive", f"if=none,id=disk,format=raw,file={disk}",
        "-device", "virtio-blk-device,drive=disk",
    ]  # fmt: skip
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=200
    )
    log.write_bytes(done.stdout)
    said, magic, tree = done.stdout.partition(_FDT_MAGIC)
    return said.decode(errors="replace"), magic + tree
