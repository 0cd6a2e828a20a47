# SPDX-License-Identifier: Apache-2.0
"""Against what mtools writes."""

from __future__ import annotations

import random

import pytest

from support import disk_images
from support.disk_images import run
from support.fat_reader import Fat


@pytest.mark.parametrize(("bits", "mib"), [("12", 1), ("16", 8), ("32", 40)])
def test_files(tmp_path, bits, mib):
    if reason := disk_images.missing():
        pytest.skip(reason)
    image, tree = tmp_path / "image", tmp_path / "tree"
    with image.open("wb") as stream:
        stream.truncate(mib << 20)
    run("mkfs.vfat", "-F", bits, "-s", "1", "-n", "BOOT", image)
    draw = random.Random(1)
    wanted = {
        "short.txt": b"short",
        "deep/er/a-long-name-of-a-file-3+2-1.conf": draw.randbytes(70_000),
        f"ostree/test-{'3f' * 32}/vmlinuz-6.1.0-test": draw.randbytes(5000),
        "empty": b"",
    }
    wanted |= {f"many/name-{at}": str(at).encode() for at in range(60)}
    for path, data in wanted.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    run("mcopy", "-s", "-Q", "-i", image, *sorted(tree.iterdir()), "::")
    run("mdel", "-i", image, "::many/name-7")
    del wanted["many/name-7"]
    assert Fat(image.read_bytes()).read_all() == wanted


def test_what_cannot_be_read_is_not_there(tmp_path):
    if reason := disk_images.missing():
        pytest.skip(reason)
    image = tmp_path / "image"
    with image.open("wb") as stream:
        stream.truncate(8 << 20)
    run("mkfs.vfat", "-F", "16", "-s", "1", image)
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
        run("mcopy", "-Q", "-i", image, tmp_path / name, "::")
    data = bytearray(image.read_bytes())
    before = Fat(bytes(data)).read_all()
    # The chain of the first one is cut in both copies of the table.
    sector = int.from_bytes(data[14:16], "little") * 512
    data[sector + 4 : sector + 8] = bytes(4)
    assert Fat(bytes(data)).read_all() == {"second": before["second"]}
