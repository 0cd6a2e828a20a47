# SPDX-License-Identifier: Apache-2.0
"""Vectors, as fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "ostree-2022.7"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of what ostree 2022.7 wrote."""
    return FOLDER


@pytest.fixture(scope="session")
def objects() -> Callable[[str], dict[str, bytes]]:
    """Give the vectors of one suffix: checksum to bytes."""

    def load(suffix: str) -> dict[str, bytes]:
        found = {p.stem: p.read_bytes() for p in sorted(FOLDER.glob(f"*.{suffix}"))}
        assert found
        return found

    return load
