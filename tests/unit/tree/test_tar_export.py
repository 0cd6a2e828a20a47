# SPDX-License-Identifier: Apache-2.0
"""The archive is read back with the standard library's reader, which is none of ours."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectType
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.lookup import Directory, resolve_directory
from ostrya.tree.tar_export import RECORD_BYTES, ExportOptions, export_tree

LONG = "n" * 120
XATTRS = ((b"security.capability", bytes(range(20))), (b"user.key", b"a=b\nc"))
TIME = 1234567890


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """A tree of odd entries, written as objects, so that no privilege is needed."""
    folder = tmp_path_factory.mktemp("tar")
    with create_repository(str(folder / "repo"), RepoMode.ARCHIVE) as repo:
        with Transaction(repo) as transaction:
            root = _write_tree(transaction.writer)
            transaction.commit()
        yield repo, root


def _write_tree(writer):
    def add_file(data=b"", mode=0o100644, uid=0, gid=0, xattrs=()):
        return writer.write_data(FileHeader(uid, gid, mode, "", xattrs), data)

    def add_dir(files=(), dirs=(), mode=0o40755, xattrs=()):
        tree = DirTree(tuple(sorted(files)), tuple(sorted(dirs))).encode()
        meta = DirMeta(0, 0, mode, xattrs).encode()
        return (
            writer.write_metadata(ObjectType.DIR_TREE, tree),
            writer.write_metadata(ObjectType.DIR_META, meta),
        )

    same = add_file(b"same")
    deep = add_dir([(LONG, add_file(b"long"))])
    sub = add_dir(
        [("again", same), ("owned", add_file(b"x" * 513, 0o104755, 3_000_000, 2_097_151))],
        [("sticky", *add_dir(mode=0o41777, xattrs=((b"user.dir", b"1"),)))],
    )
    link = writer.write_symlink(FileHeader(0, 0, 0o120777, "target/" + LONG, ()))
    short = writer.write_symlink(FileHeader(0, 0, 0o120777, "same", ()))
    files = [
        ("same", same),
        ("long-link", link),
        ("link", short),
        ("empty", add_file()),
        ("attributes", add_file(b"attr", xattrs=XATTRS)),
        ("ünï", add_file(b"u")),
    ]
    return Directory("/", *add_dir(files, [("sub", *sub), (LONG, *deep)]))


def export(repo, directory, **options):
    sink = io.BytesIO()
    export_tree(repo, directory, sink, ExportOptions(TIME, **options))
    return sink.getvalue()


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as archive:
        return {member.name: member for member in archive}


def test_names_and_kinds(committed):
    found = members(export(*committed))
    assert list(found) == [
        *(".", "attributes", "empty", "link", "long-link", "same", "ünï"),
        *(LONG, f"{LONG}/{LONG}", "sub", "sub/again", "sub/owned", "sub/sticky"),
    ]
    assert found["."].isdir()
    assert found["sub"].isdir()
    assert found["link"].linkname == "same"
    assert found["long-link"].linkname == "target/" + LONG
    assert all(member.mtime == TIME for member in found.values())


def test_owner_mode_and_content(committed):
    data = export(*committed)
    owned = members(data)["sub/owned"]
    assert (owned.uid, owned.gid, owned.mode, owned.size) == (3_000_000, 2_097_151, 0o4755, 513)
    assert (owned.uname, owned.gname) == ("", "")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.extractfile("sub/owned").read() == b"x" * 513
        assert archive.extractfile("empty").read() == b""
    assert members(data)["sub/sticky"].mode == 0o1777


def test_equal_files_become_hard_links(committed):
    again = members(export(*committed))["sub/again"]
    assert again.islnk()
    assert again.linkname == "same"


def test_extended_attributes_as_records(committed):
    found = members(export(*committed))
    for name, expected in (("attributes", XATTRS), ("sub/sticky", ((b"user.dir", b"1"),))):
        records = {
            key.removeprefix("SCHILY.xattr.").encode(): value.encode("utf-8", "surrogateescape")
            for key, value in found[name].pax_headers.items()
        }
        assert records == dict(expected)
    assert not members(export(*committed, with_xattrs=False))["attributes"].pax_headers


def test_prefix_is_put_before_names_as_it_is(committed):
    assert {"pre/", "pre/sub"} <= {
        name + ("/" if name == "pre" else "") for name in members(export(*committed, prefix="pre/"))
    }
    assert "presub" in members(export(*committed, prefix="pre"))
    # A link inside the archive points to the name inside the archive.
    assert members(export(*committed, prefix="pre/"))["pre/sub/again"].linkname == "pre/same"


def test_a_part_of_the_tree(committed):
    repo, root = committed
    found = members(export(repo, resolve_directory(repo, root, "sub")))
    assert list(found) == [".", "again", "owned", "sticky"]
    assert found["again"].isfile()


def test_the_same_bytes_every_time(committed):
    assert export(*committed) == export(*committed)


def test_length_is_a_multiple_of_the_record(committed):
    plain, padded = export(*committed), export(*committed, record_bytes=RECORD_BYTES)
    assert len(plain) % 512 == 0
    assert len(padded) % RECORD_BYTES == 0
    assert padded.rstrip(b"\0") == plain.rstrip(b"\0")
    assert plain.endswith(bytes(1024))


def test_records_count_their_own_length():
    from ostrya.tree.tar_header import _pax_record

    for size in (0, 1, 80, 90, 93, 94, 95, 990, 9990):
        record = _pax_record(b"k", b"v" * size)
        length, _, body = record.partition(b" ")
        assert int(length) == len(record)
        assert body == b"k=" + b"v" * size + b"\n"


@pytest.mark.skipif(not os.access("/usr/bin/tar", os.X_OK), reason="no tar here")
def test_gnu_tar_reads_it(committed, tmp_path):
    import subprocess

    (tmp_path / "x.tar").write_bytes(export(*committed))
    listed = subprocess.run(
        ["tar", "-tf", tmp_path / "x.tar", "--quoting-style=literal"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert [name.rstrip("/") for name in listed] == list(members(export(*committed)))
