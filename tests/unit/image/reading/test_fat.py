# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.filesystem import find_program
from ostrya.image.reading.fat import Fat
from ostrya.image.reading.files import View
from ostrya.image.reading.sources import BytesSource
from support.image_world import missing

MIB = 1 << 20
FILES = [
    FatFile("boot.scr", b"script" * 5000),
    FatFile("EFI/BOOT/BOOTX64.EFI", bytes(range(256)) * 300),
    FatFile("EFI/BOOT/a name that is long.cfg", b"text\n"),
    FatFile("empty", b""),
    *(FatFile(f"many/file {number:03}.txt", b"%d" % number) for number in range(200)),
]


def encoded(size, files=FILES):
    data = bytearray(size)
    for at, piece in encode_fat(files, FatOptions(size, "boot", 0xABCD1234, 1700000000)):
        data[at : at + len(piece)] = piece
    return data


def contents(fat):
    view, found = View(fat), {}

    def walk(place):
        for one in view.entries(place):
            if one.entry.is_dir:
                walk(one)
            else:
                found[one.path[1:]] = b"".join(fat.chunks(one.entry))

    walk(view.find("/"))
    return found


@pytest.mark.parametrize(("size", "kind"), [(8 * MIB, "fat16"), (64 * MIB, "fat32")])
def test_what_we_write_is_read(size, kind):
    fat = Fat(BytesSource(bytes(encoded(size))))
    assert (fat.kind, fat.label, fat.uuid, fat.size_bytes) == (kind, "boot", "ABCD-1234", size)
    assert contents(fat) == {file.path: file.data for file in FILES}
    assert 0 < fat.free_bytes < size
    entry = fat.find(fat.root(), "BOOT.SCR")
    assert entry is not None
    assert entry.mtime == 1700000000


@pytest.mark.skipif(bool(missing("mkfs.vfat", "mcopy")), reason="mtools are not installed")
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_what_others_write_is_read(tmp_path, bits):
    path = tmp_path / "fat"
    path.write_bytes(bytes({12: 1, 16: 16, 32: 40}[bits] * MIB))
    argv = [find_program("mkfs.vfat"), "-F", str(bits), "-n", "LABEL", "-i", "12AB34CD", path]
    subprocess.run(argv, check=True, capture_output=True)
    files = {"lower.txt": b"x" * 30_000, "Mixed Case.Text": b"y", "UPPER": b""}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        subprocess.run(["mcopy", "-i", path, tmp_path / name, "::"], check=True)
    fat = Fat(BytesSource(path.read_bytes()))
    assert (fat.kind, fat.label, fat.uuid) == (f"fat{bits}", "LABEL", "12AB-34CD")
    assert contents(fat) == files


def test_what_is_in_use_is_what_matters():
    data = encoded(8 * MIB)
    fat = Fat(BytesSource(bytes(data)))
    kept = bytearray(b"\xa5" * len(data))
    for at, size in fat.used_ranges():
        kept[at : at + size] = data[at : at + size]
    assert contents(Fat(BytesSource(bytes(kept)))) == contents(fat)
    assert (
        sum(size for _, size in fat.used_ranges())
        == 8 * MIB - fat.free_bytes - (8 * MIB - fat.layout.data_at) % fat.layout.cluster_bytes
    )


def test_chains_that_lead_in_circles_or_nowhere_are_errors():
    data = encoded(8 * MIB, FILES[:1])
    layout = Fat(BytesSource(bytes(data))).layout
    fat = Fat(BytesSource(bytes(data)))
    first = fat.find(fat.root(), "boot.scr")
    for value, words in ((first.handle, "circle"), (1, "does not exist"), (0xFFFF, "shorter")):
        changed = bytearray(data)
        at = layout.tables_at + 2 * (first.handle + 3)
        changed[at : at + 2] = value.to_bytes(2, "little")
        again = Fat(BytesSource(bytes(changed)))
        entry = again.find(again.root(), "boot.scr")
        if words == "circle":
            # The file ends before the circle does; as a directory it does not.
            with pytest.raises(DiskError, match="circle"):
                list(again.layout.chain(entry.handle))
            continue
        with pytest.raises(DiskError, match=words):
            b"".join(again.chunks(entry))


def test_it_has_no_links_and_no_attributes():
    fat = Fat(BytesSource(bytes(encoded(8 * MIB))))
    entry = fat.find(fat.root(), "empty")
    assert fat.xattrs(entry) == ()
    with pytest.raises(DiskError, match="no link"):
        fat.target(entry)
