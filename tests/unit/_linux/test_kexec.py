# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EBADF, ENOSYS, EPERM
from types import SimpleNamespace

import pytest

from ostrya._linux.kexec import load_next_kernel


def test_descriptors_that_are_none():
    with pytest.raises(OSError, match="kexec_file_load") as caught:
        load_next_kernel(-1, None, "quiet")
    # Whatever stands in the way first.
    assert caught.value.errno in (EBADF, EPERM, ENOSYS)


def test_machines_that_cannot(monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="armv7l"))
    with pytest.raises(OSError, match="kexec_file_load") as caught:
        load_next_kernel(0, 0, "quiet")
    assert caught.value.errno == ENOSYS
