# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya._linux.memory import available_bytes


@pytest.fixture
def kernel(tmp_path):
    """Write what the kernel says; give what is made of it."""

    def ask(meminfo=None, group=None, **values):
        proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
        (proc / "self").mkdir(parents=True)
        (cgroup / "a").mkdir(parents=True)
        if meminfo is not None:
            (proc / "meminfo").write_text(meminfo)
        if group is not None:
            (proc / "self/cgroup").write_text(group)
        for name, value in values.items():
            (cgroup / "a" / f"memory.{name}").write_text(value)
        return available_bytes(str(proc), str(cgroup))

    return ask


def test_this_machine():
    assert available_bytes() > 0


def test_nothing_is_said(kernel):
    assert kernel() is None


def test_the_machine(kernel):
    assert kernel("MemTotal: 9 kB\nMemAvailable:    7 kB\n", "0::/a\n", max="max\n") == 7 * 1024


def test_the_group(kernel):
    found = kernel("MemAvailable: 7 kB\n", "0::/a\n", max="5000\n", current="3000\n")
    assert found == 2000


def test_the_group_is_full(kernel):
    assert kernel(None, "0::/a\n", max="5000\n", current="6000\n") == 0
