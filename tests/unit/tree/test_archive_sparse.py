# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import io
import itertools
import tarfile
from pathlib import Path

import pytest

from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree.archive_entries import read_archive
from ostrya.tree.archive_import import import_archive
from ostrya.tree.archive_sparse import MAX_PIECES, expand, parse_map, read_lines_of_map
from ostrya.tree.commit import write_tree
from ostrya.tree.errors import ArchiveError
from ostrya.tree.mutable_tree import MutableTree
from support.archives import member
from support.memory import memory_growth
from support.small_repos import make_repo

VECTORS = Path(__file__).resolve().parents[2] / "vectors/gnu-tar-1.34"
# By ostree 2022.7, of each of the four.
ROOT_DIRTREE = "526e12437fb7244296503fe78e511ee6e48a3ec3c6ae994ed02575595b0afc93"


def pax(records: dict[str, str], *contents: bytes, stored: int = 0) -> bytes:
    """A file with an extended header, and what follows it."""
    info = member("f")
    info.size = stored
    info.pax_headers = records
    return b"".join((info.tobuf(tarfile.PAX_FORMAT), *contents))


def old_gnu(pieces: list[tuple[int, int]], size: int, content: bytes, *, extended: bool) -> bytes:
    """A header of the type S, and what follows it."""
    info = member("f", tarfile.GNUTYPE_SPARSE)
    info.size = len(content)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    numbers = list(itertools.chain.from_iterable(pieces))
    for at, number in zip(range(386, 482, 12), numbers, strict=False):
        header[at : at + 12] = b"%011o\0" % number
    header[482] = extended
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content.ljust(-len(content) % 512 + len(content), b"\0")


def one(data: bytes) -> bytes:
    """The content of the only file of an archive."""
    ((entry, content),) = ((e, b"".join(e.chunks())) for e in read_archive(io.BytesIO(data)))
    assert entry.size == len(content)
    return content


MAP_RECORDS = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "4000"}
BLOCK = b"d" * 512


@pytest.mark.parametrize("archive", sorted(VECTORS.glob("*.tar.gz")), ids=lambda path: path.name)
def test_those_of_gnu_tar_become_what_libostree_makes_of_them(tmp_path, archive):
    with make_repo(tmp_path, RepoMode.ARCHIVE) as repo, Transaction(repo) as tx:
        tree = MutableTree()
        with archive.open("rb") as stream:
            import_archive(tx, stream, tree)
        assert write_tree(tx, tree)[0] == ROOT_DIRTREE


@pytest.mark.parametrize(
    "data",
    [
        old_gnu([(0, 0), (100, 5), (4000, 0)], 4000, b"ddddd", extended=False),
        pax({"GNU.sparse.map": "100,5,4000,0", "GNU.sparse.size": "4000"}, BLOCK, stored=512),
        pax(MAP_RECORDS, b"2\n100\n5\n4000\n0\n".ljust(512, b"\0"), BLOCK, stored=1024),
    ],
    ids=["old GNU", "pax 0.1", "pax 1.0"],
)
def test_a_file_of_a_few_bytes_and_zeros(data):
    assert one(data + bytes(1024)) == b"ddddd".rjust(105, b"\0").ljust(4000, b"\0")


def map_10(text: bytes) -> bytes:
    return pax(MAP_RECORDS, text.ljust(512, b"\0"), BLOCK, stored=1024)


def map_01(text: str) -> bytes:
    return pax({"GNU.sparse.map": text, "GNU.sparse.size": "4000"}, BLOCK, stored=512)


@pytest.mark.parametrize(
    "data",
    [
        map_01("100"),
        map_01("-5,5"),
        map_01("5,-5,0,5"),
        map_01("1_0,5"),
        map_01("²,5"),
        map_01("9" * 5000 + ",1"),
        map_01("100,5,50,5"),
        map_01("100,5,104,5"),
        map_01("3999,2"),
        map_01("0,513"),
        map_10(b"x\n"),
        map_10(b"-1\n"),
        map_10(b"1\n5\n"),
        map_10(b"1\n0\n513\n"),
        map_10(b"1" * 512),
        pax(MAP_RECORDS, b"5\n1\n1\n"),
        old_gnu([(100, 5), (50, 5)], 4000, b"d" * 10, extended=False),
        old_gnu([(0, 513)], 4000, b"d" * 10, extended=False),
        old_gnu([(0, 5)], 4000, b"", extended=True)[:512],
        pax(MAP_RECORDS | {"size": "1024"}, b"0\n".ljust(512, b"\0"), BLOCK, stored=1024),
    ],
    ids=itertools.count(),
)
def test_maps_that_do_not_fit(data):
    with pytest.raises(ArchiveError, match="Damaged tar archive"):
        one(data + bytes(1024))


def test_as_many_pieces_as_there_may_be():
    count = MAX_PIECES
    text = b"%d\n" % count + b"".join(b"%d\n1\n" % at for at in range(0, 2 * count, 2))
    assert len(read_lines_of_map(io.BytesIO(text + bytes(512)).read)) == count
    assert len(parse_map(",".join(["0"] * 2 * count))) == count
    for parse in (
        lambda: read_lines_of_map(io.BytesIO(b"%d\n" % (count + 1) + bytes(512)).read),
        lambda: parse_map(",".join(["0"] * (2 * count + 2))),
    ):
        with pytest.raises(tarfile.ReadError, match="more than 262,144 pieces"):
            parse()


def test_data_are_read_in_order_and_zeros_in_chunks():
    stream = io.BytesIO(b"abc")
    assert b"".join(expand([(2, 1), (4, 2)], 7, 3, stream.read)) == b"\0\0a\0bc\0"
    assert max(map(len, expand([], 5 << 20, 0, stream.read))) == 1 << 20
    assert not list(expand([], 0, 0, stream.read))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["old GNU", "pax 1.0"])
def test_a_map_without_end_takes_little_memory(tmp_path, kind):
    """A few hundred kilobytes that stand for a hundred megabytes of map."""
    if kind == "old GNU":
        head = old_gnu([(0, 0)], 4000, b"", extended=True)
        block = (b"%011o\0" % 7_000_000 * 42).ljust(504, b"\0") + b"\1" + bytes(7)
    else:
        head = pax(MAP_RECORDS, b"%d\n" % 10**9)
        block = b"1234567\n" * 64
    path = tmp_path / "hostile.tar.gz"
    with gzip.open(path, "wb", 1) as out:
        out.write(head)
        for _ in range(100):
            out.write(block * 2048)
    (sentence,), grown = memory_growth(
        """
        import sys
        from ostrya.tree.archive_entries import read_archive
        from ostrya.tree.errors import ArchiveError
        """,
        """
        try:
            for entry in read_archive(open(sys.argv[1], 'rb')):
                print(sum(map(len, entry.chunks())))
        except ArchiveError as exc:
            print(exc)
        """,
        path,
    )
    assert "more than 262,144 pieces" in sentence
    assert grown < 100 << 10
