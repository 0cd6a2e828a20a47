# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat

import pytest

from ostrya.uptane.credentials_zip import read_members, write_members
from ostrya.uptane.errors import AuthoringError


def test_written_and_read(tmp_path):
    path = tmp_path / "c.zip"
    write_members(str(path), {"a": b"1", "b": b"2"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_members(str(path)) == {"a": b"1", "b": b"2"}


def test_no_zip(tmp_path):
    path = tmp_path / "c.zip"
    path.write_bytes(b"none")
    with pytest.raises(AuthoringError):
        read_members(str(path))
