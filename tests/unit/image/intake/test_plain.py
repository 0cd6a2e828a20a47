# SPDX-License-Identifier: Apache-2.0
import io

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.intake.plain import take_archive, take_directory
from ostrya.image.intake.rules import DEFAULT_LIMITS, Keeping
from ostrya.progress import NULL_PROGRESS
from ostrya.tree.errors import ArchiveError
from support.archives import member, tar


def take(tx, data: bytes):
    return take_archive(
        tx,
        io.BytesIO(data),
        Keeping(),
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
