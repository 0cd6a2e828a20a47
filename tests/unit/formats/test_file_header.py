# SPDX-License-Identifier: Apache-2.0
"""Headers of files: the hot codec against the general one, and against what ostree wrote."""

from __future__ import annotations

import hashlib
import stat
import zlib

import pytest

from ostrya.errors import FormatError
from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.file_header import (
    MAX_HEADER_SIZE,
    FileHeader,
    check_file_mode,
    longest_archive_file,
    parse_prefix,
)
from ostrya.formats.gvariant.byteorder import swap_u32, swap_u64
from ostrya.formats.gvariant.encode import encode_variant

FILE = FileHeader(0, 7, 0o100644)
XATTRS = ((b"security.capability", bytes(20)), (b"user.x", b"y" * 300))


def generic(header: FileHeader, size: int | None = None, rdev: int = 0) -> bytes:
    """The same variant by the general codec."""
    numbers = (*map(swap_u32, header[:3]), rdev)
    rest = (header.symlink_target, tuple((n + b"\0", v) for n, v in header.xattrs))
    if size is None:
        return encode_variant("(uuuusa(ayay))", (*numbers, *rest))
    return encode_variant("(tuuuusa(ayay))", (swap_u64(size), *numbers, *rest))


def test_vectors(objects):
    """Header and inflated content hash to the object's name."""
    found = []
    for checksum, data in objects("filez").items():
        length = parse_prefix(data[:8])
        variant, deflated = data[8 : 8 + length], data[8 + length :]
        header, size = FileHeader.decode_archive(variant)
        assert header.encode_archive(size) == data[: 8 + length]
        content = zlib.decompress(deflated, -15) if deflated else b""
        assert len(content) == size
        stream = header.encode_stream()
        assert hashlib.sha256(stream + content).hexdigest() == checksum
        assert FileHeader.decode_stream(stream[8:]) == header
        assert parse_prefix(stream[:8]) == len(stream) - 8
        found.append((oct(header.mode), len(header.symlink_target), len(header.xattrs), size))
    assert sorted(found) == [
        ("0o100644", 0, 0, 1),
        ("0o100644", 0, 2, 6),
        ("0o104755", 0, 0, 10),
        ("0o120777", 4, 0, 0),
        ("0o120777", 263, 0, 0),
    ]


def test_the_example_of_the_page():
    assert FILE.encode_stream().hex(" ") == (
        "00 00 00 12 00 00 00 00 00 00 00 00 00 00 00 07 00 00 81 a4 00 00 00 00 00 11"
    )


@pytest.mark.parametrize("xattrs", [(), XATTRS[:1], XATTRS])
@pytest.mark.parametrize(
    ("mode", "target"),
    [(0o100755, ""), (0o106711, "")]
    + [
        (0o120777, "é" * n)
        for n in (1, 100, 115, 116, 117, 118, 119, 120, 32750, 32758, 32760, 40000)
    ],
)
def test_as_the_general_codec_has_it(mode, target, xattrs):
    header = FileHeader(4_000_000_000, 1, mode, target, xattrs)
    stream = header.encode_stream()
    assert stream[8:] == generic(header)
    assert stream[:8] == len(stream[8:]).to_bytes(4, "big") + bytes(4)
    assert FileHeader.decode_stream(stream[8:]) == header
    archive = header.encode_archive(1 << 40)
    assert archive[8:] == generic(header, 1 << 40)
    assert FileHeader.decode_archive(archive[8:]) == (header, 1 << 40)


def test_links():
    assert FileHeader(0, 0, 0o120777, "target").is_symlink
    assert not FILE.is_symlink


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        (0o40755, "Invalid file metadata mode 16877; not a valid file type"),
        (0, "Invalid file metadata mode 0; not a valid file type"),
        (0o060644, "Invalid file metadata mode 24996; not a valid file type"),
        (0o1100644, "Invalid mode 295332; invalid bits in mode"),
    ],
)
def test_modes_of_other_things(mode, sentence):
    header = FileHeader(0, 0, mode)
    for attempt in (
        header.encode_stream,
        lambda: header.encode_archive(0),
        lambda: FileHeader.decode_stream(generic(header)),
        lambda: FileHeader.decode_archive(generic(header, 0)),
        lambda: check_file_mode(mode),
    ):
        with pytest.raises(ObjectFormatError) as caught:
            attempt()
        assert caught.value.message == sentence


def test_device_numbers():
    for attempt in (
        lambda: FileHeader.decode_stream(generic(FILE, None, 1 << 24)),
        lambda: FileHeader.decode_archive(generic(FILE, 0, 1 << 24)),
    ):
        with pytest.raises(ObjectFormatError, match="Corrupted archive file; invalid rdev 1"):
            attempt()


def test_a_file_has_no_target():
    header = FILE._replace(symlink_target="x")
    for attempt in (header.encode_stream, lambda: FileHeader.decode_stream(generic(header))):
        with pytest.raises(ObjectFormatError, match="Invalid symlink target of a regular file"):
            attempt()


@pytest.mark.parametrize(
    ("target", "sentence"),
    [("a\udcff", "Invalid UTF-8 in symlink target a�"), ("a\0b", "Invalid NUL in symlink target")],
)
def test_targets_that_cannot_be_written(target, sentence):
    with pytest.raises(ObjectFormatError) as caught:
        FileHeader(0, 0, 0o120777, target).encode_stream()
    assert caught.value.message == sentence


def test_numbers_that_do_not_fit():
    with pytest.raises(ObjectFormatError, match="Invalid file owner -1:7"):
        FILE._replace(uid=-1).encode_stream()
    with pytest.raises(ObjectFormatError, match="or size -1"):
        FILE.encode_archive(-1)
    with pytest.raises(ObjectFormatError):
        FILE.encode_archive(1 << 64)


LINK = generic(FileHeader(0, 0, 0o120777, "target"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LINK[:15],
        LINK[:16],
        LINK[:-1],
        LINK + b"\0",
        LINK[:-1] + b"\x10",
        LINK[:-1] + b"\xff",
        LINK.replace(b"arg", b"a\0g"),
        LINK.replace(b"arg", b"a\xffg"),
        LINK.replace(b"t\0", b"tt"),
        LINK[:-1] + bytes([len(LINK) - 1]) + bytes(300),
    ],
)
def test_not_normal(data):
    with pytest.raises(GVariantError, match="Not normal form"):
        FileHeader.decode_stream(data)
    with pytest.raises(FormatError):
        FileHeader.decode_archive(bytes(8) + data)


@pytest.mark.parametrize(
    ("prefix", "sentence"),
    [
        (b"", "File header ends after 0 of 8 bytes"),
        (b"\0\0\0\1\0\0\0", "File header ends after 7 of 8 bytes"),
        (bytes(8), "File header size is zero"),
        (b"\x01\0\0\1" + bytes(4), f"File header size 16777217 exceeds size {MAX_HEADER_SIZE}"),
    ],
)
def test_prefixes_that_make_no_sense(prefix, sentence):
    with pytest.raises(ObjectFormatError) as caught:
        parse_prefix(prefix)
    assert caught.value.message == sentence


def test_prefix():
    assert parse_prefix(b"\x01\0\0\0" + bytes(4)) == MAX_HEADER_SIZE


def test_how_long_a_file_of_an_archive_may_be():
    header = FileHeader(0, 0, stat.S_IFREG | 0o644)
    for size in (0, 1, 10_000_000):
        first16 = header.encode_archive(size)[:16]
        longest = longest_archive_file(first16)
        assert size + 64 * 1024 < longest < size + size // 32 + 128 * 1024
    for nonsense in (b"", bytes(16), b"<html>\r\n<head>x"):
        assert longest_archive_file(nonsense) == 64 * 1024
