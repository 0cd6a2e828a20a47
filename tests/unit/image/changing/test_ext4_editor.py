# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import CommandFailed
from ostrya.image.changing.ext4_editor import Ext4Script, NewFileFacts, check_room
from ostrya.image.errors import DiskError
from ostrya.image.reading.files import Entry, FileKind

FACTS = NewFileFacts(1, 2, 0o755, 1700000000)


def test_room_is_counted_in_blocks():
    check_room([1, 4096, 0], 8192, 4096)
    with pytest.raises(DiskError, match="takes 12288 bytes, and there are 8192 free"):
        check_room([1, 4097], 8192, 4096)


@pytest.mark.parametrize("name", ['a"b', "a\nb"])
def test_names_that_debugfs_cannot_be_told(tmp_path, name):
    with pytest.raises(DiskError, match="cannot be told of the name"):
        Ext4Script(str(tmp_path)).put(name, "/x", FACTS)


def test_images_that_debugfs_cannot_be_told(tmp_path):
    with pytest.raises(DiskError, match="cannot be told of an image"):
        Ext4Script(str(tmp_path)).run("disk?offset=0", 0)


def test_complaints_are_errors(image, tmp_path):
    script = Ext4Script(str(tmp_path))
    script.enter(Entry("x", FileKind.DIRECTORY, 0, 0, 0, 0, 0, 999_999))
    with pytest.raises(CommandFailed, match="debugfs"):
        script.run(str(image), 5 << 20)
