# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux import durability


def test_sync_of_a_file_system(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    durability.sync_filesystem(fd)
    os.close(fd)


def test_a_descriptor_that_is_not_open_is_told(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    os.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        durability.sync_filesystem(fd)


def test_writeback_is_only_a_hint(tmp_path):
    durability.start_writeback(-1)
    with (tmp_path / "f").open("wb") as stream:
        stream.write(b"x")
        stream.flush()
        durability.start_writeback(stream.fileno())
