# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ctypes
import os
from errno import EBADF

import pytest

from ostrya._linux import statfs
from ostrya._linux.dirfd import open_dir
from ostrya._linux.statfs import is_vfat
from support import mounts


class Libc:
    """A C library that says which kind of file system there is."""

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def fstatfs(self, _fd: int, found) -> int:
        found._obj[0] = self.kind
        return 0


@pytest.mark.parametrize(("kind", "answer"), [(0x4D44, True), (0xEF53, False)])
def test_which_kind_it_is(monkeypatch, kind, answer):
    monkeypatch.setattr(statfs.ctypes, "CDLL", lambda *_args, **_options: Libc(kind))
    assert is_vfat(0) is answer


def test_this_machine(tmp_path):
    fd = open_dir(str(tmp_path))
    try:
        assert not is_vfat(fd)
    finally:
        os.close(fd)
    with pytest.raises(OSError, match=os.strerror(EBADF)):
        is_vfat(-1)
    assert ctypes.sizeof(ctypes.c_long) in (4, 8)


@pytest.mark.root
@pytest.mark.loop
def test_for_real(tmp_path):
    if reason := mounts.missing("vfat"):
        pytest.skip(reason)
    fd = open_dir(str(mounts.mount("vfat", tmp_path, size=8 << 20)))
    try:
        assert is_vfat(fd)
    finally:
        os.close(fd)
        mounts.unmount(tmp_path)
