# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from contextlib import ExitStack
from errno import EIO, ENOSYS, EOPNOTSUPP, EPERM, EXDEV

import pytest

from ostrya._linux import xattr
from ostrya._linux.dirfd import open_dir
from ostrya.boot import install
from ostrya.boot.errors import KernelNotFound
from ostrya.boot.install import install_file, install_kernel, kernel_bytes, make_dirs
from ostrya.boot.kernel import find_kernel
from support import os_tree

FOLDER = "ostree/os-3f"


class Disk:
    """A tree with a kernel and device trees, and ``/boot``."""

    def __init__(self, top, stack: ExitStack) -> None:
        self.tree = os_tree.make(top / "tree", "3")
        self.boot = top / "boot"
        self.boot.mkdir()
        self.tree_fd, self.boot_fd = open_dir(str(self.tree)), open_dir(str(self.boot))
        stack.callback(os.close, self.tree_fd)
        stack.callback(os.close, self.boot_fd)
        self.kernel = find_kernel(self.tree_fd)

    def install(self, label_for=None) -> None:
        install_kernel(self.kernel, self.tree_fd, self.boot_fd, FOLDER, label_for)

    def read(self, name: str) -> str:
        return (self.boot / FOLDER / name).read_text()


@pytest.fixture
def disk(tmp_path):
    with ExitStack() as stack:
        yield Disk(tmp_path, stack)


def refuse(number: int):
    def call(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_linked(disk):
    disk.install()
    names = ("vmlinuz-6.1.0-test", "initramfs-6.1.0-test.img", "dtb")
    assert sorted(os.listdir(disk.boot / FOLDER)) == sorted(names)
    kernel = disk.tree / "usr/lib/modules/6.1.0-test/vmlinuz"
    assert (disk.boot / FOLDER / names[0]).samefile(kernel)
    assert disk.read("dtb/vendor/board.dtb") == "tree of devices\n"


@pytest.mark.parametrize("number", [EXDEV, EPERM])
def test_copied(disk, monkeypatch, number):
    monkeypatch.setattr(install.os, "link", refuse(number))
    disk.tree.joinpath("usr/lib/modules/6.1.0-test/vmlinuz").chmod(0o600)
    # Without links, unnamed files cannot be given a name.
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_RDWR)
    disk.install()
    found = disk.boot / FOLDER / "vmlinuz-6.1.0-test"
    assert found.read_text() == "kernel 3\n"
    assert found.stat().st_mode & 0o777 == 0o600
    assert disk.read("dtb/vendor/board.dtb") == "tree of devices\n"
    assert not [name for name in os.listdir(disk.boot / FOLDER) if name.startswith("tmp.")]


@pytest.mark.parametrize("target", ["/usr/lib/kernel", "../../kernel", "../../../lib/kernel"])
def test_of_a_link_what_it_leads_to_in_the_tree(disk, target):
    kernel = disk.tree / "usr/lib/modules/6.1.0-test/vmlinuz"
    kernel.rename(disk.tree / "usr/lib/kernel")
    kernel.symlink_to(target)
    found = find_kernel(disk.tree_fd)
    assert found == disk.kernel
    disk.install()
    installed = disk.boot / FOLDER / "vmlinuz-6.1.0-test"
    assert (installed.is_symlink(), installed.read_text()) == (False, "kernel 3\n")
    assert kernel_bytes(found, disk.tree_fd, 1) == 9 + 10 + 16


def test_a_link_does_not_lead_out_of_the_tree(disk, tmp_path):
    (tmp_path / "secret").write_text("of this machine")
    kernel = disk.tree / "usr/lib/modules/6.1.0-test/vmlinuz"
    for target in (tmp_path / "secret", "../../../../../secret"):
        kernel.unlink()
        kernel.symlink_to(target)
        with pytest.raises(FileNotFoundError):
            disk.install()
        with pytest.raises(KernelNotFound):
            find_kernel(disk.tree_fd)
    assert not (disk.boot / FOLDER / "vmlinuz-6.1.0-test").exists()


def test_without_owners_modes_and_labels(disk, monkeypatch):
    monkeypatch.setattr(install.os, "link", refuse(EXDEV))
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_RDWR)
    monkeypatch.setattr(install.os, "fchown", refuse(EPERM))
    monkeypatch.setattr(install.os, "fchmod", refuse(ENOSYS))
    monkeypatch.setattr(xattr, "write_xattrs", refuse(EOPNOTSUPP))
    disk.install(lambda _path, _mode: "system_u:object_r:boot_t:s0")
    assert disk.read("vmlinuz-6.1.0-test") == "kernel 3\n"
    monkeypatch.setattr(install.os, "fchown", refuse(EIO))
    with pytest.raises(OSError, match=os.strerror(EIO)):
        install_file("usr/bin/tool", disk.tree_fd, "again", disk.boot_fd)


def test_copies_are_labelled(disk, monkeypatch):
    monkeypatch.setattr(install.os, "link", refuse(EXDEV))
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_RDWR)
    set_labels = []
    monkeypatch.setattr(xattr, "write_xattrs", lambda _fd, pairs: set_labels.append(pairs))
    asked = []

    def label_for(path: str, mode: int) -> str | None:
        asked.append((path, mode))
        return "x" if "vmlinuz" in path else None

    disk.install(label_for)
    assert ("/boot/vmlinuz-6.1.0-test", 0o100644) in asked
    assert set_labels == [((b"security.selinux", b"x\0"),)]


def test_what_is_there_stays(disk):
    disk.install()
    (disk.boot / FOLDER / "dtb/vendor/board.dtb").unlink()
    (disk.boot / FOLDER / "vmlinuz-6.1.0-test").unlink()
    (disk.boot / FOLDER / "vmlinuz-6.1.0-test").write_text("mine")
    disk.install()
    assert disk.read("vmlinuz-6.1.0-test") == "mine"
    assert disk.read("dtb/vendor/board.dtb") == "tree of devices\n"


def test_directories(disk):
    make_dirs("a/b/c", dir_fd=disk.boot_fd)
    make_dirs("a/b/c", dir_fd=disk.boot_fd)
    assert (disk.boot / "a/b/c").is_dir()


def test_how_much_room_it_takes(disk):
    assert kernel_bytes(disk.kernel, disk.tree_fd, 512) == 3 * 512
    assert kernel_bytes(disk.kernel, disk.tree_fd, 1) == 9 + 10 + 16


def test_an_empty_file_is_no_kernel(disk):
    disk.install()
    kernel = disk.boot / FOLDER / "vmlinuz-6.1.0-test"
    wanted = kernel.read_bytes()
    kernel.unlink()
    kernel.touch()
    disk.install()
    assert kernel.read_bytes() == wanted
