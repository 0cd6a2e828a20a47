# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from ostrya._linux import heap

MIB, PAGE_BYTES = 1 << 20, 4096
# Each is larger than all that were freed before, which glibc takes as the measure.
SIZES_MIB = range(1, 17)
COUNT_FAULTS = f"""
import resource, sys
from ostrya._linux.heap import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory(32 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for size in {list(SIZES_MIB)}:
    bytes([size]) * (size * {MIB})
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    command = [sys.executable, "-c", COUNT_FAULTS, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_was_freed_is_not_mapped_anew():
    largest, together = (pages * MIB // PAGE_BYTES for pages in (max(SIZES_MIB), sum(SIZES_MIB)))
    assert faults("keep") < 2 * largest
    assert faults("let go") > together


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())
    heap.keep_freed_memory(1 << 20)
