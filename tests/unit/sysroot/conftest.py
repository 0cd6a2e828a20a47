# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.sysroot import write_deployments as module
from support.library_machines import Machine


@pytest.fixture
def no_waiting(monkeypatch):
    """Nothing waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda _fd: None)
    monkeypatch.setattr(module, "sync_filesystem", lambda _fd: None)
    monkeypatch.setattr(module, "flush_filesystem", lambda _fd: True)


@pytest.fixture
def machine(tmp_path, no_waiting):
    """A sysroot with one system, and nothing deployed."""
    return Machine(tmp_path)
