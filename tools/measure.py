# SPDX-License-Identifier: Apache-2.0
"""Run one command and measure what it took: wall clock, CPU, and the memory of its process tree.

Memory is measured in a run of its own (``memory=True``): sampling costs time that would be counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_INTERVAL_S = 0.01


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took.

    Attributes:
        wall_s: From start to exit.
        cpu_s: User and system time of the command and all it waited for.
        largest_rss: The largest resident set of any one process, in bytes; 0 when not measured.
        tree_pss: The largest sum over the process tree of proportional set sizes seen in a sample
            (pages that forked workers share count once), in bytes; 0 when not measured.
    """

    wall_s: float
    cpu_s: float
    largest_rss: int = 0
    tree_pss: int = 0


def children_of(pid: int) -> list[int]:
    """The direct children of a process, from each of its threads."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    except OSError:
        return found
    return found


def pss(pid: int) -> int:
    """Proportional set size of one process, 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024


def peak_rss(pid: int) -> int:
    """The largest resident set that one process ever had, 0 once it is gone.

    Not ``ru_maxrss``: that begins with the size of whoever started the process.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) * 1024


def process_tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for current in found:
        found += children_of(current)
    return found


class Sampler(threading.Thread):
    """Looks at a process tree until told to stop, and remembers the largest figures."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak_pss = 0
        self.peak_rss = 0
        self._over = threading.Event()

    def run(self) -> None:
        """Sample until :meth:`stop`."""
        while not self._over.is_set():
            processes = process_tree(self.pid)
            self.peak_pss = max(self.peak_pss, sum(map(pss, processes)))
            self.peak_rss = max(self.peak_rss, *map(peak_rss, processes))
            self._over.wait(SAMPLE_INTERVAL_S)

    def stop(self) -> None:
        """End sampling."""
        self._over.set()
        self.join()


def measure(argv: list[str], *, env: dict[str, str] | None = None, memory: bool = False) -> Cost:
    """Run a command that must succeed.

    Raises:
        subprocess.CalledProcessError: It failed; its stderr went to ours then.
    """
    with tempfile.TemporaryFile() as words:
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=words, env=env)
        cost = _watch(process, start, memory=memory)
        if process.returncode != 0:
            words.seek(0)
            sys.stderr.write(words.read().decode(errors="replace"))
            raise subprocess.CalledProcessError(process.returncode, argv)
    return cost


def _watch(process: subprocess.Popen[bytes], start: float, *, memory: bool) -> Cost:
    sampler = Sampler(process.pid)
    if memory:
        sampler.start()
    _pid, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if memory:
        sampler.stop()
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, sampler.peak_rss, sampler.peak_pss)
