# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.mbr import (
    SECTOR_BYTES,
    TYPE_EXTENDED,
    TYPE_FAT32_LBA,
    TYPE_LINUX_MBR,
    MbrPartition,
    encode_chain,
    encode_mbr,
    protective_mbr,
)


def test_partitions_lie_where_they_were_put():
    sector = encode_mbr(
        [
            MbrPartition(2048, 4096, TYPE_FAT32_LBA, active=True),
            MbrPartition(6144, 8192, TYPE_LINUX_MBR),
        ],
        signature=0x1234ABCD,
        boot_code=b"code",
    )
    assert len(sector) == SECTOR_BYTES
    assert sector[:4] == b"code"
    assert sector[440:446] == bytes.fromhex("cdab34120000")
    assert sector[446:462] == bytes.fromhex("80feffff0cfeffff0008000000100000")
    assert sector[462:478] == bytes.fromhex("00feffff83feffff0018000000200000")
    assert sector[478:510] == bytes(32)
    assert sector[510:] == b"\x55\xaa"


def test_a_protective_one_covers_the_disk():
    sector = protective_mbr(131072, boot_code=b"x")
    assert sector[446:462] == bytes.fromhex("00000200eeffffff01000000ffff0100")
    assert sector[:1] == b"x"
    assert sector[462:510] == bytes(48)


def test_a_disk_larger_than_the_table_can_say_is_covered_as_far_as_it_can():
    assert protective_mbr(1 << 40)[458:462] == b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("partitions", "code", "words"),
    [
        ([MbrPartition(1, 1, 1)] * 5, b"", "4 partitions, not 5"),
        ([MbrPartition(1 << 32, 1, 1)], b"", "beyond"),
        ([], bytes(441), "441 bytes"),
    ],
    ids=["many", "far", "code"],
)
def test_what_cannot_be_said_is_refused(partitions, code, words):
    with pytest.raises(LayoutError, match=words):
        encode_mbr(partitions, boot_code=code)


def test_logical_ones_are_a_chain():
    extended = MbrPartition(10000, 9000, TYPE_EXTENDED)
    inside = [MbrPartition(12048, 1000, TYPE_LINUX_MBR), MbrPartition(16096, 2000, TYPE_LINUX_MBR)]
    (at, sector), (other_at, other) = encode_chain(extended, inside, 2048)
    assert (at, other_at) == (10000, 14048)
    assert sector[446:462] == bytes.fromhex("00feffff83feffff00080000e8030000")
    # From the beginning of the extended one: 4048 sectors; 2048 and 2000 of them.
    assert sector[462:478] == bytes.fromhex("00feffff0ffeffffd00f0000d00f0000")
    assert other[446:462] == bytes.fromhex("00feffff83feffff00080000d0070000")
    assert other[462:510] == bytes(48)
    assert (sector[510:], other[510:]) == (b"\x55\xaa",) * 2
