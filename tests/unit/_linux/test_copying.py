# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ostrya._linux.copying import copy_entry
from ostrya._linux.dirfd import open_dir


@pytest.fixture
def place(tmp_path):
    """Two directories, and what copies from the first to the second."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    source_fd, target_fd = open_dir(str(source)), open_dir(str(target))

    def copy(name: str, **options: object) -> None:
        copy_entry(name, source_fd=source_fd, target_fd=target_fd, **options)  # type: ignore[arg-type]

    yield source, target, copy
    os.close(source_fd)
    os.close(target_fd)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_file(place):
    source, target, copy = place
    (source / "x").write_bytes(b"content" * 100_000)
    (source / "x").chmod(0o4750)
    os.utime(source / "x", ns=(1_000_000_001, 2_000_000_002))
    (target / "x").write_text("before")
    copy("x")
    assert (target / "x").read_bytes() == b"content" * 100_000
    assert mode_of(target / "x") == 0o4750
    assert (target / "x").stat().st_mtime_ns == 2_000_000_002
    assert os.listdir(target) == ["x"]


def test_a_tree(place):
    source, target, copy = place
    (source / "d/closed").mkdir(parents=True)
    (source / "d/closed/x").write_text("x")
    (source / "d/closed").chmod(0o500)
    (source / "d/link").symlink_to("/nowhere")
    os.mkfifo(source / "d/pipe")
    skipped = []
    copy("d", on_skipped=skipped.append)
    assert skipped == ["d/pipe"]
    assert (target / "d/closed/x").read_text() == "x"
    assert mode_of(target / "d/closed") == 0o500
    assert os.readlink(target / "d/link") == "/nowhere"
    assert sorted(os.listdir(target / "d")) == ["closed", "link"]


def test_attributes(place):
    source, target, copy = place
    for name in ("with", "without"):
        (source / name).write_text("x")
        os.setxattr(source / name, "user.x", b"value")
    copy("with")
    copy("without", with_xattrs=False)
    assert os.getxattr(target / "with", "user.x") == b"value"
    assert os.listxattr(target / "without") == []


def test_owners(place):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    source, target, copy = place
    (source / "d").mkdir()
    (source / "d/x").write_text("x")
    (source / "d/link").symlink_to("x")
    for path in ("d", "d/x", "d/link"):
        os.chown(source / path, 7, 8, follow_symlinks=False)
    copy("d")
    for path in ("d", "d/x", "d/link"):
        found = (target / path).lstat()
        assert (found.st_uid, found.st_gid) == (7, 8)


def test_links_in_the_way_are_not_followed(place, tmp_path):
    source, target, copy = place
    outside = tmp_path / "outside"
    outside.mkdir()
    (source / "d").mkdir()
    (source / "d/x").write_text("x")
    (target / "d").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        copy("d")
    assert list(outside.iterdir()) == []
    (source / "f").write_text("f")
    (outside / "f").write_text("ours")
    (target / "f").symlink_to(outside / "f")
    copy("f")
    assert (outside / "f").read_text() == "ours"
    assert not (target / "f").is_symlink()


def test_a_directory_does_not_give_way_to_a_file(place):
    source, target, copy = place
    (source / "x").write_text("x")
    (target / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        copy("x")
    assert os.listdir(target) == ["x"]
