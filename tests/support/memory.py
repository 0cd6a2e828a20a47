# SPDX-License-Identifier: Apache-2.0
"""How much memory a piece of work takes, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

# Not ru_maxrss: that begins with the size of whoever started the process.
_PROGRAM = """
def _peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

{before}
_start = _peak_kib()
{work}
print(_peak_kib() - _start)
"""


def memory_growth(before: str, work: str, *args: object) -> tuple[list[str], int]:
    """Run a program and return the lines it prints, and by how many KiB ``work`` makes it grow.

    Args:
        before: What is not counted, imports for instance.
        work: What is.
        args: ``sys.argv[1:]`` of both.
    """
    program = _PROGRAM.format(before=textwrap.dedent(before), work=textwrap.dedent(work))
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, grown = done.stdout.splitlines()
    return lines, int(grown)
