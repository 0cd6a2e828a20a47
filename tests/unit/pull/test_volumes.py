# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya._linux.mount_table import Mount
from ostrya.pull.volumes import find_volumes

HOME = "/home/me"


@pytest.mark.parametrize(
    ("path", "is_volume"),
    [
        ("/media/stick", True),
        ("/media/a/b", True),
        ("/media", False),
        ("/mediaeval/x", False),
        ("/run/media/me/stick", True),
        ("/run/user/0/x", False),
        ("/home/me/stick", True),
        ("/home/me", False),
        ("/home/mellow/stick", False),
        ("/home/me/.cache/stick", False),
        ("/media/.hidden", False),
        ("/mnt/stick", False),
        ("/", False),
    ],
)
def test_places(path, is_volume):
    found = find_volumes([Mount(path, "ext4", "/dev/sda1")], HOME)
    assert found == ([path] if is_volume else [])


@pytest.mark.parametrize("home", ["", "/", "//"])
def test_nobodys_home(home):
    mounts = [Mount(path, "vfat", "/dev/x") for path in ("/", "/boot", "/media/stick")]
    assert find_volumes(mounts, home) == ["/media/stick"]


@pytest.mark.parametrize(
    ("kind", "device"),
    [("tmpfs", "tmpfs"), ("overlay", "overlay"), ("proc", "proc"), ("ext4", "none")],
)
def test_the_machines_own(kind, device):
    assert find_volumes([Mount("/media/x", kind, device)], HOME) == []


def test_the_last_mount_is_the_one_that_is_seen():
    stick = Mount("/media/x", "vfat", "/dev/sda1")
    hidden = Mount("/media/x", "tmpfs", "tmpfs")
    assert find_volumes([hidden, stick], HOME) == ["/media/x"]
    assert find_volumes([stick, hidden], HOME) == []
