# SPDX-License-Identifier: Apache-2.0
"""A disk for boot loaders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.boot_disks import BootDisk


@pytest.fixture
def disk(tmp_path) -> Iterator[BootDisk]:
    """A disk with ``boot`` and nothing in it."""
    disk = BootDisk(tmp_path / "disk")
    yield disk
    disk.close()
