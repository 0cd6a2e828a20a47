# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import tarfile

import pytest

from ostrya.tree.tar_header import DIRECTORY, FILE, HARD_LINK, SYMLINK, TarHeader, encode_entry


def read(*entries):
    with tarfile.open(fileobj=io.BytesIO(b"".join(entries) + bytes(1024))) as tar:
        return tar.getmembers()


@pytest.mark.parametrize(
    "header",
    [
        TarHeader(b"file", FILE, 0o4755, 1, 2),
        TarHeader(b"dir/", DIRECTORY, 0o1777),
        TarHeader(b"link", SYMLINK, 0o777, link=b"target" * 30),
        TarHeader(b"n" * 300, HARD_LINK, 0o644, link=b"other"),
        TarHeader(b"large", FILE, 0o644, uid=1 << 40, gid=3_000_000),
    ],
    ids=["file", "directory", "link", "long", "large"],
)
def test_python_reads_it(header):
    (found,) = read(encode_entry(header, 1700000000))
    assert found.name.encode() == header.name.rstrip(b"/")
    assert (found.mode, found.uid, found.gid, found.mtime) == (
        header.mode, header.uid, header.gid, 1700000000,
    )  # fmt: skip
    assert found.linkname.encode() == header.link
    assert found.type == header.kind


def test_attributes_come_first_and_modes_have_no_type():
    xattrs = ((b"security.selinux", b"label\0"), (b"user.x", b"\xff"))
    (found,) = read(encode_entry(TarHeader(b"f", FILE, 0o100644), 0, xattrs))
    assert found.mode == 0o644
    assert found.pax_headers["SCHILY.xattr.security.selinux"] == "label\0"
