# SPDX-License-Identifier: Apache-2.0
"""Processes whose clock says something else, by libfaketime."""

from __future__ import annotations

from pathlib import Path

import pytest


def clock_environment(moment: str) -> dict[str, str]:
    """The environment of a process whose clock starts at a moment, ``1970-01-01 00:00:10``.

    How long something takes stays as it is.
    """
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("needs faketime")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"@{moment}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }
