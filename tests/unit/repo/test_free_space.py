# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from ostrya.repo.errors import LowSpace
from ostrya.repo.free_space import FreeSpace, format_size
from support.small_repos import configure, make_repo


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0\xa0kB"),
        (1234, "1.2\xa0kB"),
        (999_949, "999.9\xa0kB"),
        # Rounding does not climb to the next unit, as in GLib.
        (999_950, "1000.0\xa0kB"),
        (1_000_000, "1.0\xa0MB"),
        (4 * 10**9, "4.0\xa0GB"),
        (2**63, "9.2\xa0EB"),
        (10**22, "10000.0\xa0EB"),
    ],
)
def test_as_glib_writes_it(size, text):
    assert format_size(size) == text


class TestAskingTheDisk:
    @pytest.fixture
    def watch(self, tmp_path, monkeypatch):
        """A watch over a disk of one's choice; the sizes that were asked about."""
        asked = []
        room = [0]

        def fstatvfs(fd):
            asked.append(fd)
            return SimpleNamespace(
                f_bfree=room[0], f_bavail=room[0], f_frsize=1, f_blocks=100 << 30
            )

        with make_repo(tmp_path / "repo") as repo:
            configure(repo, min_free_space_size="1MB")
            monkeypatch.setattr(os, "fstatvfs", fstatvfs)
            yield FreeSpace(repo, repo.dir_fd), room, asked

    def test_every_time_where_room_is_scarce(self, watch):
        free, room, asked = watch
        room[0] = 1 << 30
        for _ in range(10):
            free.require(1000)
        assert len(asked) == 10
        room[0] = 1 << 20
        with pytest.raises(LowSpace):
            free.require(1000)

    def test_now_and_then_where_it_is_ample(self, watch):
        free, room, asked = watch
        room[0] = 50 << 30
        for _ in range(100):
            free.require(1000)
        assert len(asked) == 1
        for _ in range(4):
            free.require(8 << 20)
        assert len(asked) > 1

    def test_what_is_larger_than_the_room_is_refused_at_once(self, watch):
        free, room, _ = watch
        room[0] = 50 << 30
        free.require(1000)
        room[0] = 2 << 30
        with pytest.raises(LowSpace):
            free.require(3 << 30)
