# SPDX-License-Identifier: Apache-2.0
import io
import os

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.intake.plain import take_archive, take_directory
from ostrya.image.intake.rules import DEFAULT_LIMITS, Keeping
from ostrya.progress import NULL_PROGRESS
from ostrya.tree.errors import ArchiveError
from support.archives import member, tar


def take(tx, data: bytes, keep: Keeping | None = None):
    return take_archive(
        tx,
        io.BytesIO(data),
        keep or Keeping(),
        shown="the tar",
        limits=DEFAULT_LIMITS,
        progress=NULL_PROGRESS,
    )


def test_both_give_the_same(tx, tmp_path):
    (tmp_path / "tree/usr").mkdir(parents=True)
    (tmp_path / "tree/usr/f").write_bytes(b"x")
    (tmp_path / "tree/usr/f").chmod(0o644)
    tree = take_directory(tx, str(tmp_path / "tree"), Keeping(), NULL_PROGRESS)
    other = take(tx, tar((member("usr/f"), b"x")))
    assert tree.walk(["usr"]).files() == other.walk(["usr"]).files()


def test_errors_name_the_archive(tx):
    with pytest.raises(ArchiveError, match=r"^the tar: "):
        take(tx, b"no archive at all")
    with pytest.raises(SourceError, match=r"^the tar: "):
        take(tx, tar((member("a"), b"x"), (member("a/b"), b"x")))


def test_the_newest_of_what_is_taken_in_says_how_old_it_is(tx, tmp_path):
    old, new, later = member("usr/f"), member("usr/g"), member("run/h")
    old.mtime, new.mtime, later.mtime = 5, 700, 9000
    keep = Keeping()
    take(tx, tar((old, b"x"), (new, b"y"), (later, b"z")), keep)
    assert keep.newest == 700
    top = tmp_path / "tree"
    for name, moment in (("usr/f", 5), ("usr/g", 700), ("run/h", 9000)):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x")
        os.utime(top / name, (moment, moment))
    for name in ("usr", "run"):
        os.utime(top / name, (6, 6))
    keep = Keeping()
    take_directory(tx, str(top), keep, NULL_PROGRESS)
    assert keep.newest == 700


def test_times_that_no_file_system_has(tx):
    late = member("f")
    late.mtime = 1 << 50
    keep = Keeping()
    take(tx, tar((late, b"x")), keep)
    assert keep.newest == (1 << 32) - 1
