# SPDX-License-Identifier: Apache-2.0
"""An image that was compressed, flashed over something else by its map, and started by `image run`."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

import small_device
from ostrya.image.bmap import encode_bmap
from ostrya.image.board import load_board
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.usage import make_bmap
from support import qemu
from support.commands import OURS, OURS_PATH
from support.small_disks import build_small_disk, commit_small_releases, console

BOARD = "qemu-x86_64-uboot"
MIB = 1 << 20

pytestmark = [
    pytest.mark.vm,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("images"),
    pytest.mark.skipif(bool(reason := small_device.missing()), reason=reason or "none"),
]


def test_a_flashed_image_starts(tmp_path):
    found = load_board(BOARD).qemu
    if reason := qemu.missing(found.program):
        pytest.skip(reason)
    disk = Path(
        build_small_disk(commit_small_releases(tmp_path), tmp_path / "os.img", BOARD).disk.path
    )
    with DiskImage(str(disk)) as image:
        (tmp_path / "os.bmap").write_bytes(encode_bmap(make_bmap(image.source, image.volumes)))
    (tmp_path / "os.img.xz").write_bytes(lzma.compress(disk.read_bytes(), preset=0))
    card = tmp_path / "card"
    with card.open("wb") as stream:
        for _ in range(disk.stat().st_size // MIB + 64):
            stream.write(b"\xa5" * MIB)
    OURS("image", "flash", "--to-file", tmp_path / "os.img.xz", card)
    (tmp_path / "motd").write_text("copied in\n")
    OURS("image", "cp", tmp_path / "motd", f"{card}:/etc/motd")
    before = card.read_bytes()
    # It says itself which board it is for.
    with qemu.Guest([str(OURS_PATH), "image", "run", "--snapshot", str(card)]) as guest:
        shell = console(guest, "2")
        assert shell.run("cat /etc/motd").splitlines()[-1] == "copied in"
        shell.run("echo lost > /var/lost && sync")
        # Ctrl-A X ends the emulator, and then us.
        guest.send("\x01x")
        assert guest.wait() == 0
    assert card.read_bytes() == before
