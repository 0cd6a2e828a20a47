# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EACCES, EDQUOT, EFBIG, ENOSPC

import pytest

from ostrya.image.errors import OutputError
from ostrya.image.outputs.sinks import NewFile
from ostrya.image.room import room_for
from support import mounts

MIB = 1 << 20


@pytest.mark.parametrize("code", [ENOSPC, EDQUOT, EFBIG])
def test_it_says_where_there_is_no_room(tmp_path, code):
    with pytest.raises(OutputError) as caught, room_for(str(tmp_path / "x"), "make room"):
        raise OSError(code, os.strerror(code))
    assert f"no room for {tmp_path / 'x'}: {os.strerror(code)}, " in caught.value.message
    assert caught.value.hint == "make room"


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), room_for(str(tmp_path / "x"), "make room"):
        raise OSError(EACCES, "no")


@pytest.mark.loop
def test_an_output_on_a_disk_that_is_full(tmp_path):
    try:
        disk = mounts.mount("tmpfs", tmp_path / "disk", size=MIB)
        words = r"no room for .*/os\.img: .* 0 MB are free"
        with NewFile(str(disk / "os.img")) as file, pytest.raises(OutputError, match=words):
            file.write(b"x" * (2 * MIB))
        assert list(disk.iterdir()) == []
    finally:
        mounts.unmount(tmp_path / "disk")
