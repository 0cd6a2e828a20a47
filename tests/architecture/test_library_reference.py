# SPDX-License-Identifier: Apache-2.0
"""The reference of the library says what the docstrings say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def test_the_pages_are_those_of_the_code():
    tool = TOP / "tools" / "library_reference.py"
    command = [sys.executable, tool, "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
