# SPDX-License-Identifier: Apache-2.0
"""Run the whole boot matrix, and write ``docs/boot-tests.md`` from what it told."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from full_run import FullRun, run

INTRODUCTION = """# Boot tests: the last full run

`make boot-test-full` writes this page. Devices in QEMU, each with 256 MB of memory, a Debian with
Ostrya in it and a disk that `ostrya image build` made, are started by real loaders: U-Boot, GRUB on
UEFI and on BIOS, systemd-boot. Each scenario has to end in a complete, healthy release, whatever
happened on the way: kernels that panic, userspace that hangs, red health checks, files that are
missing or damaged, records of trials that are torn, a full disk, and power that is cut at every
named point of a deployment, of a verdict and of settling, and at random instants, whose seeds are
named, ten for each. GRUB reads the same files on UEFI and on BIOS, so its power cuts are divided
between both. All that a guest wrote to its disk is recorded besides, and every state that a power
cut could leave of it is judged. All of it takes hours: a part runs by itself with pytest's options,
as in `make boot-test-full BOOT_TEST="-k uboot"`, and each line has the date of its last run.
"""
PIVOT_INTRODUCTION = """# Boot tests by pivot_root: the last full run

`make boot-test-full BOOT_TEST=--pivot-root` writes this page: what
[the other one](boot-tests.md) has of loaders, on devices whose ramdisk goes over to the root by
`pivot_root`.
"""
HEADINGS = ("device", "what happened")
RUN = FullRun(
    "boot-tests",
    ("-n", "2", "tests/system", "--vm-full", "--crash-full"),
    INTRODUCTION,
    HEADINGS,
    in_parts=True,
)
PIVOT_RUN = FullRun(
    "boot-tests-pivot-root",
    ("-n", "2", "tests/system/test_rollback.py", "--vm-full", "--pivot-root"),
    PIVOT_INTRODUCTION,
    HEADINGS,
    in_parts=True,
)


def main() -> int:
    """Run what is asked for; more arguments are pytest's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pivot-root", action="store_true")
    arguments, more = parser.parse_known_args()
    chosen = PIVOT_RUN if arguments.pivot_root else RUN
    return run(dataclasses.replace(chosen, arguments=(*chosen.arguments, *more)))


if __name__ == "__main__":
    sys.exit(main())
