# SPDX-License-Identifier: Apache-2.0
"""Any bytes given as an archive end in entries or in ArchiveError."""

from __future__ import annotations

import io
import tarfile

from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.tree.archive_entries import read_archive
from ostrya.tree.errors import ArchiveError
from support.archives import COMPRESSORS, TRAILER_NEWC, TRAILER_ODC, member, newc, odc, tar

names = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"), min_size=1, max_size=40
)
contents = st.binary(max_size=600)
seeds = [
    tar(
        member("d", tarfile.DIRTYPE),
        (member("d/f", pax_headers={"SCHILY.xattr.user.a": "b"}), b"content" * 90),
        member("h", tarfile.LNKTYPE, linkname="d/f"),
        member("l" * 150, tarfile.SYMTYPE, linkname="t" * 150),
        kind=kind,
    )
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
] + [
    newc(b"d", mode=0o040755) + newc(b"d/f", b"content", links=2) + newc(b"d/g", links=2) + TRAILER_NEWC,
    odc(b"d", mode=0o040755) + odc(b"d/l", b"target", 0o120777) + TRAILER_ODC,
]  # fmt: skip


def read_all(data: bytes) -> None:
    try:
        for entry in read_archive(io.BytesIO(data)):
            for _ in entry.chunks():
                pass
    except ArchiveError:
        pass


@given(st.binary(max_size=2000))
def test_any_bytes(data):
    read_all(data)


@settings(max_examples=300)
@given(
    st.sampled_from(seeds),
    st.lists(
        st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=9)), min_size=1, max_size=5
    ),
    st.integers(0, 5000),
)
def test_archives_with_bytes_changed(seed, changes, end):
    data = bytearray(seed)
    for at, piece in changes:
        data[at % len(data) : at % len(data) + len(piece)] = piece
    for start in range(0, len(data) - 511, 512):
        # With a sum that is right, more is looked at.
        if data[start + 257 : start + 262] == b"ustar":
            header = data[start : start + 148] + b" " * 8 + data[start + 156 : start + 512]
            data[start + 148 : start + 156] = b"%06o\0 " % sum(header)
    read_all(bytes(data))
    read_all(bytes(data[: end % len(data)]))


@given(
    st.sampled_from(seeds),
    st.sampled_from(["gzip", "bzip2", "xz", "lzma"]),
    st.integers(0, 9999),
    st.integers(0, 255),
)
def test_compressed_archives_with_a_byte_changed(seed, packer, at, value):
    data = bytearray(COMPRESSORS[packer](seed))
    data[at % len(data)] = value
    read_all(bytes(data))


@given(st.lists(st.tuples(names, contents), max_size=5), st.sampled_from(list(COMPRESSORS)))
def test_what_is_packed_comes_out(files, packer):
    packed = COMPRESSORS[packer](tar(*((member(name), content) for name, content in files)))
    found = [(e.path, b"".join(e.chunks())) for e in read_archive(io.BytesIO(packed))]
    assert found == files


@given(
    st.lists(st.tuples(names, contents), max_size=5),
    st.sampled_from([(newc, TRAILER_NEWC), (odc, TRAILER_ODC)]),
)
def test_cpio_comes_out(files, kind):
    make, trailer = kind
    files = [(name, content) for name, content in files if name != "TRAILER!!!"]
    packed = b"".join(make(name.encode(), content) for name, content in files) + trailer
    found = [(e.path, b"".join(e.chunks())) for e in read_archive(io.BytesIO(packed))]
    assert found == files
