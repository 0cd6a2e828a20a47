# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def made(run, tmp_path):
    """A repository of updates that is published, and a file to be an image; return both."""
    folder = tmp_path / "img"
    run.ok("ota", "keys", "create", f"--dir={folder}")
    run.ok("ota", "targets", "sign", f"--dir={folder}")
    (tmp_path / "fw.bin").write_bytes(b"firmware")
    return f"--dir={folder}", str(tmp_path / "fw.bin")
