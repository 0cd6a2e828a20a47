# SPDX-License-Identifier: Apache-2.0
"""Operations run into a repository: all of them, in every order that makes sense, and in none."""

from __future__ import annotations

import os
from hashlib import sha256

import pytest

from ostrya.delta.apply import PartApplier, check_part_version, has_all_objects
from ostrya.delta.byte_source import MemorySource
from ostrya.delta.errors import DeltaRefused
from ostrya.delta.part_reader import Payload
from ostrya.errors import FormatError, IntegrityError, OstryaError
from ostrya.formats.checksum import to_raw
from ostrya.formats.delta_operations import (
    Close,
    Open,
    Patch,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    UnsetReadSource,
    Write,
)
from ostrya.formats.delta_part import FileMode
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ChecksumMismatch, ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import has_object, load_file, load_metadata
from ostrya.repo.transaction import Transaction
from support.deltas import MODE, PartBuilder, file_name, patch_between
from support.small_repos import GID, UID, make_repo

TO = "e" * 64
OLD = b"old content " * 20_000
NEW = b"brand new " + OLD[5:100_000] + b"tail" * 1000


def run(tx, builder: PartBuilder, **fields) -> None:
    header = builder.header(builder.file(), **fields)
    with Payload(MemorySource(builder.payload())) as payload:
        PartApplier(tx.repo, tx.writer, TO).run(header, payload)


def content(repo, name: ObjectName) -> bytes:
    with load_file(repo, name.checksum) as found:
        return found.read()


def with_old(tx) -> ObjectName:
    builder = PartBuilder()
    name = builder.splice(OLD)
    run(tx, builder)
    return name


@pytest.mark.parametrize("size", [0, 5, 3 << 20])
def test_whole_files(tx, size):
    builder = PartBuilder()
    names = {builder.splice(fill * size): fill * size for fill in (b"a", b"b")}
    assert not has_all_objects(tx.repo, builder.header(b""))
    run(tx, builder)
    assert {name: content(tx.repo, name) for name in names} == names
    assert has_all_objects(tx.repo, builder.header(b""))
    run(tx, builder)


def test_metadata_and_links(tx):
    link = FileMode(UID, GID, 0o120777)
    builder = PartBuilder(MODE, link)
    meta = DirMeta(0, 0, 0o040755).encode()
    meta_name = ObjectName(sha256(meta).hexdigest(), ObjectType.DIR_META)
    link_name = file_name(b"", link, "../target")
    builder.add(
        SpliceMetadata(meta_name, len(meta), builder.put(meta)),
        SpliceFile(link_name, 1, 0, 9, builder.put(b"../target")),
        SpliceMetadata(ObjectName(TO, ObjectType.COMMIT), 0, 0),
    )
    run(tx, builder)
    assert load_metadata(tx.repo, meta_name) == meta
    with load_file(tx.repo, link_name.checksum) as found:
        assert found.header.symlink_target == "../target"


def test_xattrs(tx):
    builder = PartBuilder()
    builder.xattrs.append(((b"user.a", b"b"),))
    header = FileHeader(UID, GID, 0o100644, "", builder.xattrs[1])
    name = ObjectName(sha256(header.encode_stream() + b"x").hexdigest(), ObjectType.FILE)
    builder.add(SpliceFile(name, 0, 1, 1, builder.put(b"x")))
    run(tx, builder)
    with load_file(tx.repo, name.checksum) as found:
        assert found.header.xattrs == ((b"user.a", b"b"),)


def test_patches(tx):
    with_old(tx)
    builder = PartBuilder()
    name = builder.patch(OLD, NEW)
    run(tx, builder)
    assert content(tx.repo, name) == NEW
    run(tx, builder)


def test_ranges(tx):
    with_old(tx)
    new = OLD[1000:90_000] + b"between" + OLD[:7]
    builder = PartBuilder()
    source = builder.put(to_raw(file_name(OLD).checksum))
    name = file_name(new)
    builder.add(
        Open(name, 0, 0, len(new)),
        SetReadSource(source),
        Write(89_000, 1000),
        UnsetReadSource(),
        Write(7, builder.put(b"between")),
        SetReadSource(source),
        Write(7, 0),
        Close(),
    )
    last = builder.splice(b"and another")
    run(tx, builder)
    assert content(tx.repo, name) == new
    assert content(tx.repo, last) == b"and another"


@pytest.mark.parametrize("mode", [RepoMode.ARCHIVE, RepoMode.BARE_USER_ONLY, RepoMode.BARE])
def test_other_modes(tmp_path, mode):
    with make_repo(tmp_path / "other", mode) as repo, Transaction(repo) as tx:
        with_old(tx)
        builder = PartBuilder()
        name = builder.patch(OLD, NEW)
        run(tx, builder)
        assert content(repo, name) == NEW


def test_modes_that_a_user_repository_cannot_hold(tmp_path):
    with make_repo(tmp_path / "other", RepoMode.BARE_USER_ONLY) as repo, Transaction(repo) as tx:
        builder = PartBuilder(FileMode(UID, GID, 0o104755))
        builder.splice(b"x")
        with pytest.raises(OstryaError, match="invalid mode"):
            run(tx, builder)


def test_a_wrong_name(tx):
    builder = PartBuilder()
    wrong = file_name(b"something else")
    builder.add(SpliceFile(wrong, 0, 0, 1, builder.put(b"x")))
    with pytest.raises(ChecksumMismatch):
        run(tx, builder)
    assert not has_object(tx.repo, wrong)


def test_a_source_that_is_not_here(tx):
    builder = PartBuilder()
    builder.patch(OLD, NEW)
    with pytest.raises(ObjectNotFound):
        run(tx, builder)


A, TREE = file_name(b"abc"), ObjectName("f" * 64, ObjectType.DIR_TREE)
HOSTILE = {
    "mode beyond": ([SpliceFile(A, 1, 0, 3, 0)], "beyond the part's tables"),
    "xattrs beyond": ([SpliceFile(A, 0, 1, 3, 0)], "beyond the part's tables"),
    "data beyond": ([SpliceFile(A, 0, 0, 3, 98)], "Invalid offset/length 98/3"),
    "far beyond": ([SpliceFile(A, 0, 0, 3, 2**64 - 1)], "Invalid offset/length"),
    "metadata beyond": ([SpliceMetadata(TREE, 101, 0)], "Invalid offset/length 0/101"),
    "no metadata": ([SpliceMetadata(TREE, 50, 0)], "opcode open-splice-and-close"),
    "another commit": (
        [SpliceMetadata(ObjectName("f" * 64, ObjectType.COMMIT), 50, 0)],
        "is not what the delta leads to",
    ),
    "write alone": ([Write(1, 0)], "opcode write: no file is open"),
    "patch alone": ([Patch(0, 1)], "opcode bspatch: no file is open"),
    "never closed": ([Open(A, 0, 0, 3), Write(3, 0)], "end before the file is whole"),
    "too short": ([Open(A, 0, 0, 3), Write(2, 0), Close()], "2 bytes were written of 3"),
    "too long": ([Open(A, 0, 0, 3), Write(4, 0), Close()], "more than 3 bytes"),
    "open in open": ([Open(A, 0, 0, 3), Open(A, 0, 0, 3)], "open before the file is whole"),
    "write beyond": ([Open(A, 0, 0, 3), Write(3, 99), Close()], "Invalid offset/length 99/3"),
    "source beyond": ([SetReadSource(69)], "set-read-source: Invalid offset/length 69/32"),
    "patch beyond": ([Open(A, 0, 0, 3), Patch(99, 3), Close()], "Invalid offset/length 99/3"),
    "patch of nothing": ([Open(A, 0, 0, 3), Patch(0, 30), Close()], "bspatch without a source"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_operations(tx, case):
    operations, message = HOSTILE[case]
    builder = PartBuilder()
    builder.put(bytes(100))
    builder.add(*operations)
    # A part without objects is not looked at.
    builder.objects = builder.objects or [A]
    with pytest.raises((FormatError, IntegrityError), match=message):
        run(tx, builder)
    assert not has_object(tx.repo, A)


def test_hostile_sources(tx):
    old = with_old(tx)
    link = FileMode(UID, GID, 0o120777)
    builder = PartBuilder(MODE, link)
    target = file_name(b"", link, "t")
    builder.add(SpliceFile(target, 1, 0, 1, builder.put(b"t")))
    raw = builder.put(to_raw(target.checksum))
    builder.add(Open(A, 0, 0, 3), SetReadSource(raw), Write(1, 0), Close())
    with pytest.raises(DeltaFormatError, match="is a symbolic link"):
        run(tx, builder)
    builder = PartBuilder()
    raw = builder.put(to_raw(old.checksum))
    builder.add(Open(A, 0, 0, 30), SetReadSource(raw), Write(30, len(OLD) - 5), Close())
    with pytest.raises(DeltaFormatError, match="Unexpected EOF reading object"):
        run(tx, builder)
    builder = PartBuilder()
    patch = patch_between(OLD, b"abc")[:-1]
    builder.add(Open(A, 0, 0, 3), SetReadSource(builder.put(to_raw(old.checksum))))
    builder.add(Patch(builder.put(patch), len(patch)), Close())
    with pytest.raises(DeltaFormatError, match="bsdiff patch failed"):
        run(tx, builder)


@pytest.mark.parametrize("mode", [0o040755, 0o060644, 0o1100644])
def test_modes_of_no_file(tx, mode):
    builder = PartBuilder(FileMode(0, 0, mode))
    builder.add(SpliceFile(A, 0, 0, 3, builder.put(b"abc")))
    with pytest.raises(FormatError, match="Invalid"):
        run(tx, builder)


@pytest.mark.parametrize("target", [b"\xff", b"a\0b", b"x" * 70_000])
def test_targets_of_no_link(tx, target):
    builder = PartBuilder(FileMode(0, 0, 0o120777))
    builder.add(SpliceFile(A, 0, 0, len(target), builder.put(target)))
    with pytest.raises(FormatError):
        run(tx, builder)


def test_a_link_is_not_opened(tx):
    builder = PartBuilder(FileMode(0, 0, 0o120777))
    builder.add(Open(A, 0, 0, 0), Close())
    with pytest.raises(DeltaFormatError, match="is a symbolic link"):
        run(tx, builder)


def test_a_file_that_is_here_must_still_be_closed(tx):
    builder = PartBuilder()
    builder.splice(b"abc")
    run(tx, builder)
    for operations in ([Write(1, 0)], [SpliceFile(A, 0, 0, 3, 0)]):
        builder = PartBuilder()
        builder.put(b"abc")
        builder.add(Open(A, 0, 0, 3), *operations)
        with pytest.raises(DeltaFormatError, match="end before the file is whole"):
            run(tx, builder)


def test_no_objects_no_operations(tx):
    builder = PartBuilder()
    builder.splice(b"abc")
    run(tx, builder, objects=b"")
    assert not has_object(tx.repo, A)


def test_versions():
    builder = PartBuilder()
    check_part_version(builder.header(b""))
    with pytest.raises(DeltaRefused, match="Delta part has too new version 1"):
        check_part_version(builder.header(b"", version=1))


def test_nothing_stays_open(tx):
    before = len(os.listdir("/proc/self/fd"))
    with_old(tx)
    builder = PartBuilder()
    builder.put(b"x")
    source = builder.put(to_raw(file_name(OLD).checksum))
    builder.add(SetReadSource(source), SetReadSource(source), Open(A, 0, 0, 3), Write(9, 0))
    with pytest.raises(DeltaFormatError):
        run(tx, builder)
    assert len(os.listdir("/proc/self/fd")) == before
