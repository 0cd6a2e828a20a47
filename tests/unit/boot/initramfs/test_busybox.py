# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs import busybox
from ostrya.boot.initramfs.busybox import NEEDED, PLACE, find_busybox
from ostrya.boot.initramfs.tree_files import TreeFiles
from support.elf_files import ARM, fake_busybox


@pytest.fixture
def tree(rootfs):
    fd = open_dir(str(rootfs))
    yield TreeFiles(fd)
    os.close(fd)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """This machine's."""
    path = tmp_path / "host-busybox"
    path.write_bytes(fake_busybox((*NEEDED, "vi")))
    monkeypatch.setattr(busybox, "_ON_HOSTS", (str(path),))
    return path


def test_the_trees_own_comes_first(tree, host):
    found = find_busybox(tree)
    assert found.origin == "the tree's /usr/bin/busybox"
    assert found.applets == NEEDED


def test_that_of_this_machine(tree, rootfs, host):
    (rootfs / "usr/bin/busybox").unlink()
    found = find_busybox(tree)
    assert found.origin == f"this machine's {host}"
    assert found.files == {PLACE: host.read_bytes()}
    assert "vi" in found.applets


def test_one_that_can_too_little_is_passed_over(tree, rootfs, host):
    (rootfs / "usr/bin/busybox").write_bytes(fake_busybox(NEEDED[:-1]))
    assert find_busybox(tree).origin.startswith("this machine's")
    host.unlink()
    with pytest.raises(InitramfsError, match=f"the tree's /usr/bin/busybox has no {NEEDED[-1]}"):
        find_busybox(tree)


def test_one_with_libraries(tree, rootfs, host):
    (rootfs / "usr/bin/busybox").write_bytes(fake_busybox(NEEDED, needed=("libc.so.6",)))
    assert "usr/lib/x86_64-linux-gnu/libc.so.6" in find_busybox(tree).files
    host.write_bytes(fake_busybox(NEEDED, needed=("libc.so.6",)))
    with pytest.raises(InitramfsError, match="not linked statically"):
        find_busybox(tree, str(host))


def test_one_for_another_machine(tree, host):
    host.write_bytes(fake_busybox(NEEDED, machine=ARM, bits=32))
    with pytest.raises(InitramfsError, match="for another machine"):
        find_busybox(tree, str(host))


def test_one_that_is_none(tree, host):
    host.write_text("#!/bin/sh\n")
    with pytest.raises(InitramfsError, match="is no program"):
        find_busybox(tree, str(host))


def test_none_at_all(tree, rootfs, host):
    host.unlink()
    (rootfs / "usr/bin/busybox").unlink()
    with pytest.raises(InitramfsError, match="no busybox in the tree, nor on this machine"):
        find_busybox(tree)
