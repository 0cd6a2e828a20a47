# SPDX-License-Identifier: Apache-2.0
"""Stop a command with SIGKILL at one exact system call, whichever of its processes makes it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from support.commands import TIMEOUT_S, clean_environment

# What makes a state visible or lasting. strace counts each call by its own name.
PUBLISHING = (
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
    "fsync", "fdatasync", "syncfs", "sync",
)  # fmt: skip
REMOVING = ("unlink", "unlinkat", "rmdir")
MAKING = ("mkdir", "mkdirat")
# What takes room.
WRITING = (
    "openat", "write", "pwrite64", "writev", "mkdir", "mkdirat", "rename", "renameat", "renameat2",
    "link", "linkat", "symlink", "symlinkat", "ftruncate", "fallocate", "copy_file_range",
    "sendfile", "setxattr", "fsetxattr", "fsync", "fdatasync", "syncfs",
)  # fmt: skip
_NO_WRITE = re.compile(r"write\([12],|openat\((?!.*(O_CREAT|O_TMPFILE))|.* = -1 E")
POLL_S = 0.003


class Point(NamedTuple):
    """The ``number``-th call of a system call by one process, counted from one."""

    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number}"


def find_points(argv: list[str], log: Path, calls: tuple[str, ...]) -> list[Point]:
    """Run a command to its end under strace; every point at which it could be stopped."""
    _trace(argv, log, calls)
    counts: Counter[tuple[str, str]] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if found := re.match(r"(\d+)\s+(\w+)\(", line):
            counts[found[1], found[2]] += 1
    most: dict[str, int] = {}
    for (_pid, call), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    return [Point(call, number) for call in sorted(most) for number in range(1, most[call] + 1)]


def find_steps(argv: list[str], log: Path, calls: tuple[str, ...]) -> list[Point]:
    """Run a command to its end; the points that changed something, in their order.

    Of ``openat`` only what makes a file, of ``write`` not what is said to people.
    """
    _trace(argv, log, calls)
    counts: Counter[tuple[str, str]] = Counter()
    steps = []
    for line in log.read_text(errors="replace").splitlines():
        if found := re.match(r"(\d+)\s+(\w+)\(", line):
            counts[found[1], found[2]] += 1
            point = Point(found[2], counts[found[1], found[2]])
            is_step = not _NO_WRITE.match(line, found.start(2))
            if is_step and point not in steps:
                steps.append(point)
    return steps


def sample_steps(steps: list[Point], limit: int) -> list[Point]:
    """At most so many, evenly spread; of one call many times in a row the first and last count."""
    before, behind = [None, *steps], [*steps[1:], None]
    edges = [
        step
        for last, step, following in zip(before, steps, behind, strict=False)
        if last is None
        or following is None
        or last.call != step.call
        or following.call != step.call
    ]
    if len(edges) <= limit:
        return edges
    return [edges[round(i * (len(edges) - 1) / (limit - 1))] for i in range(limit)]


def _trace(argv: list[str], log: Path, calls: tuple[str, ...]) -> None:
    trace = ",".join(f"?{call}" for call in calls)
    subprocess.run(
        ["strace", "-f", "-qq", "-e", f"trace={trace}", "-e", "signal=none", "-o", str(log), *argv],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=clean_environment(), timeout=TIMEOUT_S,
    )  # fmt: skip


def sample(points: list[Point], limit: int | None) -> list[Point]:
    """At most ``limit`` points of every call, evenly spread, first and last included."""
    if limit is None:
        return points
    chosen = []
    for call in sorted({point.call for point in points}):
        same = [point for point in points if point.call == call]
        if len(same) > limit:
            same = [same[round(i * (len(same) - 1) / (limit - 1))] for i in range(limit)]
        chosen += same
    return chosen


def run_and_kill(argv: list[str], log: Path, point: Point) -> bool:
    """Run a command and kill all its processes when one of them reaches the point.

    The call itself does not happen. Returns whether the point was reached.
    """
    log.unlink(missing_ok=True)
    inject = f"inject={point.call}:signal=KILL:when={point.number}"
    process = subprocess.Popen(
        ["strace", "-f", "-qq", "-e", f"trace={point.call}", "-e", inject, "-o", str(log), *argv],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=clean_environment(), start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + TIMEOUT_S
    killed = False
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        killed = log.exists() and "+++ killed by SIGKILL +++" in log.read_text(errors="replace")
        if ended or killed:
            break
        time.sleep(POLL_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return killed


def run_and_fail(
    argv: list[str], log: Path, point: Point, error: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; the system call at the point fails with an error, in every process."""
    inject = f"inject={point.call}:error={error}:when={point.number}"
    return subprocess.run(
        ["strace", "-f", "-qq", "-e", f"trace={point.call}", "-e", inject, "-o", str(log), *argv],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=clean_environment() | {"PYTHONHASHSEED": "0"}, timeout=TIMEOUT_S,
    )  # fmt: skip
