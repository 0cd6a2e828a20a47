# SPDX-License-Identifier: Apache-2.0
"""Pinned values, pinned checksums of their bytes."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.formats.commit import Commit, SizeEntry, content_checksum, encode_sizes
from ostrya.formats.commitmeta import encode_commitmeta
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader
from ostrya.formats.filemeta import encode_filemeta
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectType
from ostrya.formats.summary import Summary, SummaryFacts, SummaryRef, build_summary
from ostrya.formats.tombstone import encode_tombstone
from ostrya.formats.verity_digest import verity_digest

EMPTY = DirTree()
META = DirMeta(0, 0, 0o40755)
LABEL = ((b"security.selinux", b"system_u:object_r:usr_t:s0\0"),)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


TREE = DirTree(
    tuple((f"{'f' * n}{n:03d}", sha256(b"file")) for n in range(1, 240, 7)),
    tuple((f"{'g' * n}{n:03d}", sha256(b"tree"), sha256(b"meta")) for n in range(1, 240, 7)),
)
WIDE = DirTree(tuple((f"{n:05d}", sha256(b"%d" % n)) for n in range(3000)))
COMMIT = Commit(
    VarDict.of(
        {
            "version": Variant("s", "1.0"),
            "ostree.ref-binding": Variant("as", ("main",)),
            "ostree.sizes": encode_sizes([SizeEntry(sha256(b"x"), ObjectType.FILE, 300, 200)]),
        }
    ),
    sha256(b"parent"),
    (),
    "subject",
    "body",
    1_700_000_000,
    sha256(EMPTY.encode()),
    sha256(META.encode()),
)
SUMMARY = build_summary(
    [SummaryRef("main", 300, sha256(COMMIT.encode()))],
    {},
    SummaryFacts("archive-z2", 1_700_000_000),
)

PINNED = {
    "empty directory": (EMPTY.encode(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    "directory of root": (META.encode(), "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"),
    "labelled directory": (META._replace(xattrs=LABEL).encode(), "9c359a8bcc95143dcc1db8f6e3897d4e53e2562aa9ac41b1d5a0c1dfb2f6c468"),
    "names of all lengths": (TREE.encode(), "0878238fa21c0af91fbd6e9f060efdfefc221a8ab335bb2a762b58823a744221"),
    "wide directory": (WIDE.encode(), "861bfd745659bd02a2756d50ff01ba63e12e8c76cade69996dc91788f65782e9"),
    "empty file": (FileHeader(0, 0, 0o100644).encode_stream(), "cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e"),
    "labelled file": (FileHeader(0, 0, 0o100644, "", LABEL).encode_stream() + b"content", "6f2d74324bb019cdf758bd7f11a18a16673310f83368843495d1bce715a0cd7a"),
    "link": (FileHeader(0, 0, 0o120777, "target").encode_stream(), "a6b40a5400ed082fbe067d2c8397aab54046a089768651c392a36db46d24c1cd"),
    "link, archived": (FileHeader(0, 0, 0o120777, "target").encode_archive(0), "eef182c66e8148bd10546e9ec7601c3892ec2ea643924f6859b29195b5f6bb5a"),
    "filemeta": (encode_filemeta(FileHeader(1, 2, 0o100644, "", LABEL)), "3091b75d2b56c0db91884287da1c9b1862bc7f3e1058bf33e837ec239d1a827d"),
    "commit": (COMMIT.encode(), "ec58f75a44e0ce411886a4a2acb2500a6a81004e9b0e9cff4debc9bac43dfbe1"),
    "detached metadata": (encode_commitmeta(VarDict.of({"k": Variant("as", ("a",))})), "38dc64574c6fb39c0e87bd5cd6b40942ccf23938547e868703914821a461d0e7"),
    "tombstone": (encode_tombstone(sha256(b"gone")), "85f09fa623da683b7d1e7c199bd9addaf0f543fa754d883fd0bbb6ba31e0a426"),
    "summary": (SUMMARY.encode(), "7e7e9f54aa8d65a33715dddbf525ef39797b7582834d57a66e03825db87755e7"),
    "nothing at all": (Summary().encode(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
}  # fmt: skip


@pytest.mark.parametrize("name", PINNED)
def test_pinned(name):
    data, checksum = PINNED[name]
    assert sha256(data) == checksum


def test_content():
    assert (
        content_checksum(COMMIT)
        == "978b7746df27a18398d9099592a905091a496bf53f9158c1f350d1d410424f66"
    )


def test_verity():
    assert (
        verity_digest([b"content"])
        == "c15b6e6213ea5aecdaf96900db4aac4e602757f6dbf13d2aab21919d21dfddfb"
    )
