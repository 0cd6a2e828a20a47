# SPDX-License-Identifier: Apache-2.0
"""The attribute that holds a file's ownership in bare-user repositories."""

from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.formats.filemeta import decode_filemeta, encode_filemeta


@pytest.mark.parametrize(
    "header",
    [
        FileHeader(0, 0, 0o100644),
        FileHeader(1000, 100, 0o104755, "", ((b"user.a", b"v"),)),
        FileHeader(5, 6, 0o120777),
    ],
)
def test_there_and_back(header):
    assert decode_filemeta(encode_filemeta(header)) == header


def test_bytes():
    assert encode_filemeta(FileHeader(1, 2, 0o100644)).hex(" ") == (
        "00 00 00 01 00 00 00 02 00 00 81 a4"
    )


def test_the_target_is_not_in_it():
    assert decode_filemeta(encode_filemeta(FileHeader(0, 0, 0o120777, "t"))).symlink_target == ""


@pytest.mark.parametrize("data", [b"", bytes(11), bytes(12), bytes(8) + b"\0\0A\xed", bytes(13)])
def test_what_is_none(data):
    with pytest.raises(FormatError):
        decode_filemeta(data)


def test_what_cannot_be_written():
    with pytest.raises(ObjectFormatError, match="not a valid file type"):
        encode_filemeta(FileHeader(0, 0, 0o40755))
    with pytest.raises(ObjectFormatError, match="Invalid file owner"):
        encode_filemeta(FileHeader(1 << 32, 0, 0o100644))
    with pytest.raises(GVariantError):
        decode_filemeta(bytes(8) + b"\0\0\x81\xa4" + b"\1")
