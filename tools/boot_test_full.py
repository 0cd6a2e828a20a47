# SPDX-License-Identifier: Apache-2.0
"""Run the whole boot matrix, and write ``docs/boot-tests.md`` from what it told."""

from __future__ import annotations

import sys

from full_run import FullRun, run

INTRODUCTION = """# Boot tests: the last full run

`make boot-test-full` writes this page. Devices in QEMU, each with 256 MB of memory, a Debian with
Ostrya in it and a disk that `ostrya image build` made, are started by real loaders: U-Boot, GRUB on
UEFI and on BIOS, systemd-boot. Each scenario has to end in a complete, healthy release, whatever
happened on the way: kernels that panic, userspace that hangs, red health checks, files that are
missing or damaged, records of trials that are torn, a full disk, and power that is cut at every
named point of a deployment, of a verdict and of settling, and at random instants, whose seeds are
named.
"""
RUN = FullRun(
    name="boot-tests",
    arguments=("-n", "2", "tests/system", "--vm-full"),
    introduction=INTRODUCTION,
    headings=("device", "what happened"),
)

if __name__ == "__main__":
    sys.exit(run(RUN))
