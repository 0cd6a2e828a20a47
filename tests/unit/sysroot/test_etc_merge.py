# SPDX-License-Identifier: Apache-2.0
"""Three trees, and what becomes of them; the outcomes are libostree's."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.sysroot import etc_merge
from ostrya.sysroot.errors import EtcConflict
from ostrya.sysroot.etc_merge import MergeCounts, kind_below, merge_etc
from ostrya.sysroot.etc_plan import Kind


class World:
    """The old default, what is in use, and the new one."""

    def __init__(self, top: Path) -> None:
        self.old, self.mine, self.new = (top / name for name in ("old", "mine", "new"))

    def begin(self, files: dict[str, str | None]) -> None:
        """Make all three alike: texts by path, None for a directory."""
        for path, text in files.items():
            write(self.old / path, text)
        for tree in (self.mine, self.new):
            shutil.copytree(self.old, tree, symlinks=True)

    def merge(self) -> tuple[MergeCounts, list[str]]:
        """Merge, and tell what was skipped."""
        skipped: list[str] = []
        with ExitStack() as stack:
            fds = [open_dir(str(tree)) for tree in (self.old, self.mine, self.new)]
            for fd in fds:
                stack.callback(os.close, fd)
            return merge_etc(*fds, on_skipped=skipped.append), skipped


def write(path: Path, text: str | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)


def listing(top: Path) -> dict[str, str]:
    found = {}
    for path in sorted(top.rglob("*")):
        name = str(path.relative_to(top))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = "dir" if path.is_dir() else path.read_text()
    return found


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_what_changed_on_one_side_only(world):
    world.begin({"same": "1", "default": "1", "mine": "1", "gone": "1", "dropped": "1", "d/x": "1"})
    write(world.new / "default", "2")
    write(world.new / "fresh", "2")
    (world.new / "dropped").unlink()
    write(world.mine / "mine", "3")
    write(world.mine / "added", "3")
    (world.mine / "gone").unlink()
    counts, skipped = world.merge()
    assert counts == MergeCounts(modified=1, removed=1, added=1)
    assert skipped == []
    assert listing(world.new) == {
        "same": "1", "default": "2", "fresh": "2", "mine": "3", "added": "3", "d": "dir", "d/x": "1",
    }  # fmt: skip


def test_what_changed_on_both_sides(world):
    world.begin({"both": "1", "dropped": "1", "gone": "1", "d/x": "1"})
    write(world.new / "both", "2")
    write(world.mine / "both", "3")
    (world.new / "dropped").unlink()
    write(world.mine / "dropped", "3")
    write(world.new / "gone", "2")
    (world.mine / "gone").unlink()
    write(world.new / "twice", "2")
    write(world.mine / "twice", "3")
    shutil.rmtree(world.new / "d")
    write(world.mine / "d/x", "3")
    world.merge()
    assert listing(world.new) == {"both": "3", "dropped": "3", "twice": "3", "d": "dir", "d/x": "3"}


def test_directories_and_links(world):
    world.begin({"file": "1", "dir/x": "1", "dir/y": "1", "link": "1", "away/x": "1"})
    (world.mine / "file").unlink()
    write(world.mine / "file/inside/deep", "3")
    write(world.new / "file", "2")
    (world.mine / "link").unlink()
    (world.mine / "link").symlink_to("/elsewhere")
    shutil.rmtree(world.mine / "away")
    write(world.new / "away/more", "2")
    write(world.mine / "own/a/b", "3")
    (world.mine / "own/a/c").symlink_to("b")
    world.merge()
    assert listing(world.new) == {
        "file": "dir", "file/inside": "dir", "file/inside/deep": "3",
        "dir": "dir", "dir/x": "1", "dir/y": "1",
        "link": "-> /elsewhere",
        "own": "dir", "own/a": "dir", "own/a/b": "3", "own/a/c": "-> b",
    }  # fmt: skip


def test_modes(world):
    world.begin({"file": "1", "d/x": "1", "e/x": "1", "setuid": "1"})
    (world.mine / "file").chmod(0o600)
    (world.mine / "setuid").chmod(0o4755)
    (world.mine / "d").chmod(0o700)
    (world.mine / "e").chmod(0o700)
    write(world.mine / "e/x", "3")
    write(world.mine / "closed/x", "3")
    (world.mine / "closed").chmod(0o500)
    world.merge()
    mode = {path: stat.S_IMODE((world.new / path).stat().st_mode) for path in listing(world.new)}
    assert mode["file"] == 0o600
    assert mode["setuid"] == 0o4755
    assert mode["d"] == 0o755, "a directory's mode by itself is lost"
    assert mode["e"] == 0o700, "with something in it, it comes along"
    assert mode["closed"] == 0o500


def test_owners_and_attributes(world):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    world.begin({"file": "1", "attribute": "1", "changed": "1"})
    os.chown(world.mine / "file", 7, 8)
    os.setxattr(world.mine / "attribute", "user.x", b"lost")
    os.setxattr(world.mine / "changed", "user.x", b"kept")
    write(world.mine / "changed", "3")
    os.utime(world.mine / "changed", (1000, 1000))
    world.merge()
    found = (world.new / "file").stat()
    assert (found.st_uid, found.st_gid) == (7, 8)
    assert os.listxattr(world.new / "attribute") == []
    assert os.getxattr(world.new / "changed", "user.x") == b"kept"
    assert (world.new / "changed").stat().st_mtime == 1000


def test_pipes_stay_behind(world):
    world.begin({"d/x": "1"})
    os.mkfifo(world.mine / "pipe")
    os.mkfifo(world.mine / "d/pipe")
    write(world.mine / "own/x", "3")
    os.mkfifo(world.mine / "own/pipe")
    _, skipped = world.merge()
    assert set(skipped) == {"pipe", "d/pipe", "own/pipe"}
    assert set(listing(world.new)) == {"d", "d/x", "own", "own/x"}


@pytest.mark.parametrize(
    ("case", "blocker"),
    [
        ("file that is a directory", "x"),
        ("parent that is a file", "d"),
        ("parent that is a link", "d"),
    ],
)
def test_conflicts_change_nothing(world, tmp_path, case, blocker):
    world.begin({"x": "1", "d/x": "1", "gone": "1"})
    (world.mine / "gone").unlink()
    write(world.mine / "aaa", "3")
    outside = tmp_path / "outside"
    outside.mkdir()
    if case == "file that is a directory":
        write(world.mine / "x", "3")
        (world.new / "x").unlink()
        write(world.new / "x/inside", "2")
    else:
        write(world.mine / "d/x", "3")
        shutil.rmtree(world.new / "d")
        if case == "parent that is a file":
            write(world.new / "d", "2")
        else:
            (world.new / "d").symlink_to(outside)
    before = listing(world.new)
    with pytest.raises(EtcConflict) as failure:
        world.merge()
    assert failure.value.path == blocker
    assert listing(world.new) == before
    assert list(outside.iterdir()) == []


def test_what_is_deleted_is_not_looked_for_elsewhere(world, tmp_path):
    world.begin({"d/x": "1"})
    outside = tmp_path / "outside"
    write(outside / "x", "ours")
    (world.mine / "d/x").unlink()
    shutil.rmtree(world.new / "d")
    (world.new / "d").symlink_to(outside)
    world.merge()
    assert (outside / "x").read_text() == "ours"


def test_kinds(tmp_path):
    write(tmp_path / "d/x", "1")
    (tmp_path / "link").symlink_to("d")
    os.mkfifo(tmp_path / "pipe")
    fd = open_dir(str(tmp_path))
    try:
        found = {
            path: kind_below(fd, path)
            for path in ("d", "d/x", "link", "link/x", "pipe", "no", "d/x/y")
        }
    finally:
        os.close(fd)
    assert found == {
        "d": Kind.DIRECTORY, "d/x": Kind.FILE, "link": Kind.SYMLINK, "link/x": Kind.ABSENT,
        "pipe": Kind.OTHER, "no": Kind.ABSENT, "d/x/y": Kind.ABSENT,
    }  # fmt: skip
    assert etc_merge.Outcome.KEPT.value == "kept"
