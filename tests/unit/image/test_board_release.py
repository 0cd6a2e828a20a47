# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.board import load_board
from ostrya.image.board_release import check_release
from ostrya.image.errors import BoardError
from unit.image.test_kernel_image import head

IMAGE = head(0x38, b"ARM\x64")
ZIMAGE = head(0x24, b"\x18\x28\x6f\x01")


def release(top, kernel, *devicetrees):
    folder = top / "usr/lib/modules/6.1"
    (folder / "dtb").mkdir(parents=True)
    (top / "usr/lib/modules/old").mkdir()
    if kernel is not None:
        (folder / "vmlinuz").write_bytes(kernel)
    for name in devicetrees:
        (folder / "dtb" / name).write_bytes(b"x")
    return str(top)


@pytest.mark.parametrize(
    ("board", "kernel", "words"),
    [
        ("qemu-arm64", IMAGE, ""),
        ("qemu-arm", ZIMAGE, ""),
        ("qemu-arm64", b"something", "cannot see what kind of kernel"),
        ("qemu-arm64", None, "there is none in its modules"),
    ],
)
def test_what_starts_there(tmp_path, board, kernel, words):
    assert words in "".join(check_release(load_board(board), release(tmp_path, kernel)))


@pytest.mark.parametrize(
    ("board", "kernel", "words"),
    [
        ("qemu-arm64", ZIMAGE, "is aarch64, and the kernel of the release is for armv7l"),
        ("qemu-arm64", head(0, b"\x1f\x8b"), "starts a kernel of the kind Image, .* is gzip"),
        ("beaglebone-black", ZIMAGE, r"no device tree .* am335x-boneblack\.dtb"),
    ],
)
def test_what_does_not(tmp_path, board, kernel, words):
    with pytest.raises(BoardError, match=words):
        check_release(load_board(board), release(tmp_path, kernel))


def test_device_trees_that_a_board_needs(tmp_path):
    top = release(tmp_path, ZIMAGE, "am335x-boneblack.dtb")
    assert check_release(load_board("beaglebone-black"), top) == []
