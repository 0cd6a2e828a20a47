# SPDX-License-Identifier: Apache-2.0
"""A sysroot that does not wait for the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support.machines import Machine


@pytest.fixture
def no_waiting(monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.flush_filesystem", lambda _fd: False)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.sync_filesystem", lambda _fd: None)


@pytest.fixture
def machine(tmp_path, no_waiting) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.close()
