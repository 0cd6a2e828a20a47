# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import zipfile

import pytest

from ostrya.tree.archive_entries import read_archive
from ostrya.tree.archive_kinds import ISO_HEAD_BYTES, name_kind
from ostrya.tree.errors import ArchiveError
from support.archives import COMPRESSORS


def a_zip() -> bytes:
    """A zip file with one entry."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("f", b"x")
    return stream.getvalue()


@pytest.mark.parametrize("packer", COMPRESSORS)
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (a_zip(), "zip"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "7z"),
        (b"!<arch>\n" + b"debian-binary", "ar"),
        (b"\xc7\x71" + bytes(100), "cpio in binary"),
        (bytes(32768) + b"\x01CD001\x01" + bytes(1000), "ISO 9660"),
    ],
    ids=["zip", "7z", "ar", "cpio", "iso"],
)
def test_what_is_not_read_is_named(data, name, packer):
    with pytest.raises(ArchiveError, match=f"^Unrecognized archive format: {name}$") as caught:
        list(read_archive(io.BytesIO(COMPRESSORS[packer](data))))
    assert "tar and cpio are read" in caught.value.hint


@pytest.mark.parametrize("size", [512, 1024, 10240, ISO_HEAD_BYTES, 40_000])
def test_zeros_are_a_tar_archive_without_entries(size):
    assert list(read_archive(io.BytesIO(bytes(size)))) == []


def test_what_has_no_name():
    assert name_kind(b"hello") == ""
    with pytest.raises(ArchiveError, match=r"^Unrecognized archive format$"):
        list(read_archive(io.BytesIO(b"hello")))
