# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import stat
import zipfile

import pytest

from ostrya.uptane.credentials_zip import MAX_BYTES, decode_members, read_members, write_members
from ostrya.uptane.errors import AuthoringError


def test_written_and_read(tmp_path):
    path = tmp_path / "c.zip"
    write_members(str(path), {"a": b"1", "b": b"2"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_members(str(path)) == {"a": b"1", "b": b"2"}


def test_no_zip(tmp_path):
    path = tmp_path / "c.zip"
    path.write_bytes(b"none")
    with pytest.raises(AuthoringError):
        read_members(str(path))


def zipped(name: str = "a", data: bytes = b"1" * 50, how: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def test_large_ones(tmp_path):
    path = tmp_path / "c.zip"
    path.write_bytes(b"\0" * (MAX_BYTES + 1))
    with pytest.raises(AuthoringError, match="larger than credentials are"):
        read_members(str(path))
    with pytest.raises(AuthoringError, match="larger than credentials are"):
        decode_members(zipped(data=b"\0" * (MAX_BYTES + 1), how=zipfile.ZIP_DEFLATED), "it")


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2], ids=["lzma", "bzip2"])
def test_ways_of_compression_that_take_any_memory(how):
    with pytest.raises(AuthoringError, match="compressed in a way"):
        decode_members(zipped(how=how), "it")


def test_a_member_before_the_file_and_one_without_a_name():
    data = zipped()
    at = data.rfind(b"PK\x05\x06")
    # Where the directory begins: later than it does, so that members lie before the file.
    moved = bytearray(data)
    moved[at + 16 : at + 20] = (len(data) * 2).to_bytes(4, "little")
    nameless = data.replace(b"\x01\x00\x00\x00", b"\0\0\0\0")
    for broken in (bytes(moved), nameless, data[:-1], data[10:]):
        with pytest.raises(AuthoringError, match=r"no credentials\.zip"):
            decode_members(broken, "it")
