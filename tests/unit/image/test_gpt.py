# SPDX-License-Identifier: Apache-2.0
import struct
import subprocess
from uuid import UUID
from zlib import crc32

import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.gpt import (
    BACKUP_SECTORS,
    FIRST_USABLE,
    LEGACY_BOOTABLE,
    TYPE_ESP,
    TYPE_LINUX,
    GptPartition,
    encode_gpt,
)
from support.commands import have

DISK = UUID("00112233-4455-6677-8899-aabbccddeeff")
SECTORS = 65536
BOOT = GptPartition(2048, 2048, TYPE_ESP, UUID(int=1), "boot", LEGACY_BOOTABLE)
ROOT = GptPartition(4096, 8192, TYPE_LINUX, UUID(int=2), "root")


def encode(*partitions, sectors=SECTORS):
    return encode_gpt(partitions, disk_guid=DISK, disk_sectors=sectors)


def test_both_headers_have_their_sums_and_name_each_other():
    gpt = encode(BOOT, ROOT)
    first, last = gpt.primary[512:604], gpt.backup[-512:-420]
    table = gpt.primary[1024:]
    assert table == gpt.backup[:-512]
    for header, here, other, table_at in (
        (first, 1, SECTORS - 1, 2),
        (last, SECTORS - 1, 1, SECTORS - BACKUP_SECTORS),
    ):
        blank = header[:16] + bytes(4) + header[20:]
        assert struct.unpack_from("<I", header, 16)[0] == crc32(blank)
        assert struct.unpack_from("<QQQQ", header, 24) == (here, other, 34, SECTORS - 34)
        assert struct.unpack_from("<QIII", header, 72) == (table_at, 128, 128, crc32(table))
        assert UUID(bytes_le=header[56:72]) == DISK


def test_an_entry_says_what_it_was_told():
    entry = encode(BOOT).primary[1024:1152]
    assert UUID(bytes_le=entry[:16]) == TYPE_ESP
    assert UUID(bytes_le=entry[16:32]) == UUID(int=1)
    assert struct.unpack_from("<QQQ", entry, 32) == (2048, 4095, 4)
    assert entry[56:].decode("utf-16-le").rstrip("\0") == "boot"


@pytest.mark.parametrize(
    ("partitions", "words"),
    [
        ([BOOT, ROOT._replace(first=4000)], "root begins where something else is"),
        ([BOOT._replace(first=FIRST_USABLE - 1)], "boot begins where"),
        ([ROOT._replace(sectors=SECTORS)], "root ends behind the end"),
        ([ROOT._replace(sectors=0)], "root has no sectors"),
        ([ROOT._replace(name="n" * 37)], "too long"),
        ([ROOT] * 129, "128 partitions, not 129"),
    ],
    ids=["overlap", "before", "behind", "empty", "name", "many"],
)
def test_what_contradicts_itself_is_refused(partitions, words):
    with pytest.raises(LayoutError, match=words):
        encode(*partitions)


def test_the_last_usable_sector_can_be_used():
    last = SECTORS - BACKUP_SECTORS - 1
    encode(ROOT._replace(first=last, sectors=1))
    with pytest.raises(LayoutError, match="behind the end"):
        encode(ROOT._replace(first=last, sectors=2))


@pytest.mark.skipif(not have("sgdisk"), reason="sgdisk is not installed")
def test_sgdisk_is_content(tmp_path):
    gpt, path = encode(BOOT, ROOT), tmp_path / "disk"
    path.write_bytes(gpt.primary.ljust(SECTORS * 512 - len(gpt.backup), b"\0") + gpt.backup)
    said = subprocess.run(
        ["sgdisk", "-v", "-p", path], capture_output=True, text=True, check=True
    ).stdout
    assert "No problems found" in said
    assert "Disk identifier (GUID): 00112233-4455-6677-8899-AABBCCDDEEFF" in said
    assert " 4096           12287   4.0 MiB     8300  root" in said
