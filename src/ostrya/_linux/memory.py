# SPDX-License-Identifier: Apache-2.0
"""How much memory a process may still take: of the machine, and of the control group it is in."""

from __future__ import annotations

from contextlib import suppress

_CGROUP = "/sys/fs/cgroup"


def available_bytes(proc: str = "/proc", cgroup: str = _CGROUP) -> int | None:
    """Return how many bytes are to be had without swapping; None if the kernel does not say."""
    found = [_machine(proc), _group(proc, cgroup)]
    return min((one for one in found if one is not None), default=None)


def _machine(proc: str) -> int | None:
    with suppress(OSError, ValueError), open(f"{proc}/meminfo", encoding="ascii") as stream:
        for line in stream:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _group(proc: str, cgroup: str) -> int | None:
    """Return the room in the control group, of version 2."""
    with suppress(OSError, ValueError):
        with open(f"{proc}/self/cgroup", encoding="utf-8") as stream:
            paths = [line.split(":", 2)[2].strip() for line in stream if line.startswith("0::")]
        folder = f"{cgroup}{paths[0]}" if paths else cgroup
        limit, used = (_number(f"{folder}/memory.{name}") for name in ("max", "current"))
        return max(limit - used, 0)
    return None


def _number(path: str) -> int:
    with open(path, encoding="ascii") as stream:
        # "max", where there is no limit, is no number.
        return int(stream.read())
