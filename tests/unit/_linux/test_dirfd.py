# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ctypes
import os
from errno import EAGAIN

import pytest

from ostrya._linux import dirfd
from support.small_repos import open_fds


@pytest.fixture
def top(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    # Deeper than others can remove, perhaps.
    for name in os.listdir(tmp_path):
        dirfd.remove_tree(name, dir_fd=fd)
    os.close(fd)


def make_deep(top: int, name: str, levels: int) -> str:
    """Make a chain of directories longer than any path the kernel takes."""
    fd = os.dup(top)
    for _ in range(levels):
        os.mkdir(name, dir_fd=fd)
        next_fd = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = next_fd
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    return "/".join([name] * levels)


@pytest.fixture(params=["one-call", "step-by-step"])
def kernel(request, monkeypatch):
    """With openat2, and as on kernels that lack it."""
    if request.param == "step-by-step":
        monkeypatch.setattr(dirfd, "_openat2_dir", lambda _root, _path, **_follow: -1)


@pytest.mark.usefixtures("kernel")
class TestOpenDirBelow:
    @pytest.mark.parametrize("relative", ["", "a", "a/b", "a/b/c"])
    def test_opens_what_is_there(self, tmp_path, top, relative):
        (tmp_path / "a/b/c").mkdir(parents=True)
        fd = dirfd.open_dir_below(top, relative)
        assert os.fstat(fd).st_ino == (tmp_path / relative).stat().st_ino
        os.close(fd)

    @pytest.mark.parametrize("relative", ["link", "link/sub", "a/link", "a/link/sub"])
    def test_no_step_may_be_a_link(self, tmp_path, top, relative):
        (tmp_path / "real/sub").mkdir(parents=True)
        (tmp_path / "a").mkdir()
        (tmp_path / "link").symlink_to("real")
        (tmp_path / "a/link").symlink_to("../real")
        with pytest.raises(OSError, match="link"):
            dirfd.open_dir_below(top, relative)

    @pytest.mark.parametrize("relative", ["..", "a/../..", "a/../../etc"])
    def test_no_step_leads_out(self, tmp_path, relative):
        (tmp_path / "top/a").mkdir(parents=True)
        (tmp_path / "etc").mkdir()
        fd = os.open(tmp_path / "top", os.O_RDONLY)
        with pytest.raises(OSError, match=r"."):
            os.close(dirfd.open_dir_below(fd, relative))
        os.close(fd)

    def test_a_file_is_no_directory(self, tmp_path, top):
        (tmp_path / "f").touch()
        with pytest.raises(NotADirectoryError):
            dirfd.open_dir_below(top, "f")

    def test_a_missing_step(self, top):
        with pytest.raises(FileNotFoundError):
            dirfd.open_dir_below(top, "no/where")

    @pytest.mark.parametrize("name", ["d" * 200, "é" * 120])
    def test_a_path_longer_than_the_kernel_takes(self, top, name):
        relative = make_deep(top, name, 40)
        assert len(os.fsencode(relative)) > 4096
        fd = dirfd.open_dir_below(top, relative)
        assert os.listdir(fd) == ["bottom"]
        os.close(fd)
        dirfd.remove_tree(name, dir_fd=top)

    def test_characters_are_not_bytes(self, top):
        """Fewer than 4096 characters can be more than 4096 bytes."""
        relative = make_deep(top, "日" * 80, 30)
        assert len(relative) < 4096 < len(os.fsencode(relative))
        os.close(dirfd.open_dir_below(top, relative))
        dirfd.remove_tree("日" * 80, dir_fd=top)

    def test_leaves_no_descriptor_behind(self, tmp_path, top):
        (tmp_path / "a/b").mkdir(parents=True)
        before = open_fds()
        for relative in ("a/b/c", "a/x/y", "x"):
            with pytest.raises(FileNotFoundError):
                dirfd.open_dir_below(top, relative)
        assert open_fds() == before


class TestOpenFileBelow:
    @pytest.fixture(params=["one-call", "step-by-step"], autouse=True)
    def kernel(self, request, monkeypatch):
        if request.param == "step-by-step":
            monkeypatch.setattr(dirfd, "_openat2", lambda *_what: -1)
        self.has_openat2 = request.param == "one-call"

    def test_opens_what_is_there(self, tmp_path, top):
        (tmp_path / "a/b").mkdir(parents=True)
        for name in ("f", "a/f", "a/b/f"):
            (tmp_path / name).write_text(name)
            fd = dirfd.open_file_below(top, name)
            assert os.read(fd, 10) == name.encode()
            os.close(fd)

    def test_links_inside(self, tmp_path, top):
        (tmp_path / "a").mkdir()
        (tmp_path / "f").touch()
        (tmp_path / "a/link").symlink_to("../f")
        if self.has_openat2:
            os.close(dirfd.open_file_below(top, "a/link"))
        else:
            with pytest.raises(OSError, match=r"."):
                dirfd.open_file_below(top, "a/link")

    @pytest.mark.parametrize("relative", ["link", "way/passwd", "loop", "../x"])
    def test_nothing_leads_out(self, tmp_path, relative):
        (tmp_path / "top").mkdir()
        (tmp_path / "x").touch()
        (tmp_path / "top/link").symlink_to("/etc/passwd")
        (tmp_path / "top/way").symlink_to("/etc")
        (tmp_path / "top/loop").symlink_to("loop")
        fd = os.open(tmp_path / "top", os.O_RDONLY)
        before = open_fds()
        with pytest.raises(OSError, match=r"."):
            dirfd.open_file_below(fd, relative)
        assert open_fds() == before
        os.close(fd)

    def test_what_is_not_there(self, top):
        for relative in ("no", "no/where"):
            with pytest.raises(FileNotFoundError):
                dirfd.open_file_below(top, relative)


class Restless:
    """A C library whose kernel gives up so many times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def syscall(self, *arguments):
        if self.refusals:
            self.refusals -= 1
            ctypes.set_errno(EAGAIN)
            return -1
        return ctypes.CDLL(None, use_errno=True).syscall(*arguments)


class TestFollowingLinks:
    @pytest.mark.parametrize("relative", ["link", "link/sub", "a/link", "a/link/sub"])
    def test_those_that_stay_below(self, tmp_path, top, relative):
        (tmp_path / "real/sub").mkdir(parents=True)
        (tmp_path / "a").mkdir()
        (tmp_path / "link").symlink_to("real")
        (tmp_path / "a/link").symlink_to("../real")
        fd = dirfd.open_dir_below(top, relative, follow=True)
        assert os.fstat(fd).st_ino == (tmp_path / relative).stat().st_ino
        os.close(fd)

    @pytest.mark.parametrize("target", ["/", "/tmp", "../other", "a/../../other"])
    def test_never_those_that_lead_out(self, tmp_path, target):
        (tmp_path / "top/a").mkdir(parents=True)
        (tmp_path / "other").mkdir()
        (tmp_path / "top/link").symlink_to(target)
        fd = os.open(tmp_path / "top", os.O_RDONLY)
        with pytest.raises(OSError, match="leads out of the directory: 'link'"):
            dirfd.open_dir_below(fd, "link", follow=True)
        os.close(fd)

    def test_a_kernel_that_gives_up_is_asked_again(self, tmp_path, top, monkeypatch):
        """It gives up on ".." whenever anything is renamed meanwhile."""
        kernel = Restless(100)
        monkeypatch.setattr(dirfd, "_libc", kernel)
        (tmp_path / "real").mkdir()
        (tmp_path / "a").mkdir()
        (tmp_path / "a/link").symlink_to("../real")
        os.close(dirfd.open_dir_below(top, "a/link", follow=True))
        assert kernel.refusals == 0

    def test_a_kernel_that_always_gives_up_is_not_asked_for_ever(self, tmp_path, top, monkeypatch):
        monkeypatch.setattr(dirfd, "_libc", Restless(1 << 60))
        (tmp_path / "a/b").mkdir(parents=True)
        os.close(dirfd.open_dir_below(top, "a/b", follow=True))

    def test_none_where_the_kernel_cannot_see_to_that(self, tmp_path, top, monkeypatch):
        monkeypatch.setattr(dirfd, "_openat2_dir", lambda _root, _path, **_follow: -1)
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        with pytest.raises(NotADirectoryError):
            dirfd.open_dir_below(top, "link", follow=True)


class TestRemoveTree:
    def test_absent_is_fine(self, top):
        dirfd.remove_tree("nothing", dir_fd=top)

    def test_a_file_and_a_link(self, tmp_path, top):
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept/file").touch()
        (tmp_path / "f").touch()
        (tmp_path / "l").symlink_to("kept")
        dirfd.remove_tree("f", dir_fd=top)
        dirfd.remove_tree("l", dir_fd=top)
        assert [p.name for p in tmp_path.iterdir()] == ["kept"]
        assert (tmp_path / "kept/file").exists()

    def test_links_inside_are_not_followed(self, tmp_path, top):
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept/file").touch()
        (tmp_path / "gone/sub").mkdir(parents=True)
        (tmp_path / "gone/sub/link").symlink_to(tmp_path / "kept")
        dirfd.remove_tree("gone", dir_fd=top)
        assert (tmp_path / "kept/file").exists()
        assert not (tmp_path / "gone").exists()

    def test_deeper_than_python_recurses_and_descriptors_reach(self, tmp_path, top):
        make_deep(top, "d", 3000)
        before = open_fds()
        dirfd.remove_tree("d", dir_fd=top)
        assert list(tmp_path.iterdir()) == []
        assert open_fds() == before

    def test_wide_and_branched(self, tmp_path, top):
        for i in range(30):
            for j in range(5):
                (tmp_path / f"top/{i}/{j}").mkdir(parents=True)
                (tmp_path / f"top/{i}/{j}/file").touch()
        dirfd.remove_tree("top", dir_fd=top)
        assert list(tmp_path.iterdir()) == []

    def test_without_write_permission(self, tmp_path, top):
        (tmp_path / "top/sub").mkdir(parents=True)
        (tmp_path / "top/sub/file").touch()
        (tmp_path / "top/sub").chmod(0)
        (tmp_path / "top").chmod(0o500)
        dirfd.remove_tree("top", dir_fd=top)
        assert list(tmp_path.iterdir()) == []


class TestReadFile:
    def test_whole(self, tmp_path, top):
        (tmp_path / "f").write_bytes(b"x" * 100_000)
        assert dirfd.read_file("f", dir_fd=top, max_bytes=100_000) == b"x" * 100_000

    def test_too_large(self, tmp_path, top):
        (tmp_path / "f").write_bytes(b"x" * 11)
        with pytest.raises(dirfd.FileTooLargeError):
            dirfd.read_file("f", dir_fd=top, max_bytes=10)

    def test_growing_beyond_the_limit(self, tmp_path):
        """A size that is not true is no way around the limit."""
        with open("/proc/self/maps", "rb") as stream, pytest.raises(dirfd.FileTooLargeError):
            dirfd.read_fd(stream.fileno(), max_bytes=10)

    def test_a_link_is_not_followed(self, tmp_path, top):
        (tmp_path / "f").touch()
        (tmp_path / "l").symlink_to("f")
        with pytest.raises(OSError, match="symbolic links"):
            dirfd.read_file("l", dir_fd=top, max_bytes=10)

    @pytest.mark.timeout(10)
    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
    def test_a_directory_or_a_pipe(self, tmp_path, top, make):
        make(tmp_path / "odd")
        with pytest.raises(IsADirectoryError, match="odd"):
            dirfd.read_file("odd", dir_fd=top, max_bytes=10)


def test_list_names_shows_what_came_after_the_descriptor(tmp_path, top):
    assert dirfd.list_names(top) == []
    (tmp_path / "a").touch()
    assert dirfd.list_names(top) == ["a"]
    (tmp_path / "b").touch()
    assert sorted(dirfd.list_names(top)) == ["a", "b"]


def test_ensure_dir_says_what_it_did(top):
    assert dirfd.ensure_dir("d", dir_fd=top)
    assert not dirfd.ensure_dir("d", dir_fd=top)


def test_exists_counts_dangling_links(tmp_path, top):
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").touch()
    assert dirfd.exists("dangling", dir_fd=top)
    assert not dirfd.exists("nowhere", dir_fd=top)
    assert not dirfd.exists("file/below", dir_fd=top)


def test_unlink_if_exists_says_what_it_did(tmp_path, top):
    (tmp_path / "f").touch()
    assert dirfd.unlink_if_exists("f", dir_fd=top)
    assert not dirfd.unlink_if_exists("f", dir_fd=top)
