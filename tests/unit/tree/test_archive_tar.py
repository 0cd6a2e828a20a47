# SPDX-License-Identifier: Apache-2.0
"""Headers of tar archives that ask for too much."""

from __future__ import annotations

import io
import tarfile

import pytest

from ostrya.tree.archive_entries import read_archive
from ostrya.tree.errors import ArchiveError
from support.archives import COMPRESSORS, member, tar

pytestmark = pytest.mark.timeout(30)


def read(data: bytes) -> list[tuple]:
    """All entries, each with its content."""
    return [(entry, b"".join(entry.chunks())) for entry in read_archive(io.BytesIO(data))]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_asks_for_gigabytes(kind):
    info = member("x", kind)
    info.size = 1 << 33
    data = info.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(ArchiveError, match="too large"):
        read(COMPRESSORS["gzip"](data + bytes(1 << 20)))


@pytest.mark.parametrize("kind", [b"x", b"g", b"X", b"L", b"K"])
def test_headers_without_an_entry(kind):
    """Each is read inside the one before it."""
    info = member("x", kind)
    info.size = 8
    head = info.tobuf(tarfile.GNU_FORMAT) + b"7 a=bc\n\0".ljust(512, b"\0")
    rest = tar((member("f"), b"x"))
    assert [content for _, content in read((head * 16 + rest[:1024]) * 3)] == [b"x"] * 3
    for count in (17, 3000):
        with pytest.raises(ArchiveError, match="too many"):
            read(head * count + rest)


def test_a_name_of_more_than_a_megabyte():
    """As for libarchive."""
    for size in (1 << 20, (1 << 20) + 1):
        info = member("x", tarfile.GNUTYPE_LONGNAME)
        info.size = size
        data = info.tobuf(tarfile.GNU_FORMAT) + b"n".ljust(size + -size % 512, b"\0")
        data += tar(member("f"), kind=tarfile.USTAR_FORMAT)
        if size == 1 << 20:
            assert read(data)[0][0].path == "n"
        else:
            with pytest.raises(ArchiveError, match="too large"):
                read(data)


def test_a_negative_size_does_not_go_round_in_circles():
    info = member("x")
    data = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    data[124:136] = b"\xff" * 12
    header = bytes(data[:148]) + b" " * 8 + bytes(data[156:512])
    data[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(ArchiveError):
        read(bytes(data) * 3)


def test_headers_in_front_of_one_entry_count_together():
    name = member("x", tarfile.GNUTYPE_LONGNAME)
    name.size = (1 << 19) + 512
    long_name = name.tobuf(tarfile.GNU_FORMAT) + b"n".ljust(name.size, b"\0")
    entry = tar((member("f"), b"x"), kind=tarfile.USTAR_FORMAT)[:1024]
    assert len(read((long_name + entry) * 3)) == 3
    with pytest.raises(ArchiveError, match="too large"):
        read(long_name * 2 + entry)
