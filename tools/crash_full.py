# SPDX-License-Identifier: Apache-2.0
"""Run the crash tests at every point, and write ``docs/crash-tests.md`` from what they told."""

from __future__ import annotations

import sys

from full_run import FullRun, run

INTRODUCTION = """# Crash tests: the last full run

`make crash-full` writes this page. Every scene is stopped with SIGKILL by turns: in one process at
every rename, link and fsync, and at every unlink where it deletes; with forked workers, which make
each call hundreds of times, at an even share of 16 of each, counted in each process, and all are
stopped by the first to reach it. Or it is run with every number of free blocks from none to more
than it needs, on a small ext4. After each: Debian's `ostree fsck` passes, every ref is old or new,
the same command run again succeeds, and both tools find the result whole, with just the objects of
a run that nobody disturbed. `make test` takes all points of one process, and 8 of each call of the
others.

Changes of a sysroot are killed the same way, and at every mkdir; each of their writes fails by
turns for want of room; and the disk or `/boot` is filled. After each, a judge that knows nothing of
our code reads what a boot loader reads: every entry names a kernel and a ramdisk that are whole,
and leads to a deployment that is its commit, with a complete `/etc`; `uEnv.txt`, `syslinux.cfg`
and `grub.cfg` name the same; the default is the old system or the new one. Run again, the command
leaves just what it leaves undisturbed. `make test` looks for the step that makes the new system the
default, and for the least room that is enough.
"""
RUN = FullRun(
    name="crash-tests",
    arguments=("-n", "2", "tests/crash", "--crash-full"),
    introduction=INTRODUCTION,
    headings=("scene", "done", "of"),
)

if __name__ == "__main__":
    sys.exit(run(RUN))
