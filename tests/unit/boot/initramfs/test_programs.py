# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.programs import close_program, kind_of_tree, merged_path
from ostrya.boot.initramfs.tree_files import TreeFiles
from support.elf_files import ARM, make_elf


@pytest.fixture
def tree(rootfs):
    fd = open_dir(str(rootfs))
    yield TreeFiles(fd)
    os.close(fd)


def test_a_program_comes_with_its_libraries_and_its_loader(tree):
    files = close_program(tree, "sbin/e2fsck")
    assert sorted(files) == [
        "usr/lib/x86_64-linux-gnu/libc.so.6",
        "usr/lib/x86_64-linux-gnu/libext2fs.so.2",
        "usr/lib64/ld-linux.so.2",
        "usr/sbin/e2fsck",
    ]
    assert files["usr/lib64/ld-linux.so.2"] == make_elf()


def test_libraries_for_another_machine_are_passed_over(tree, rootfs):
    library = rootfs / "usr/lib/x86_64-linux-gnu/libext2fs.so.2.4"
    library.rename(rootfs / "usr/lib/libext2fs.so.2")
    library.write_bytes(make_elf(machine=ARM, bits=32))
    assert "usr/lib/libext2fs.so.2" in close_program(tree, "sbin/e2fsck")


def test_a_library_that_is_missing(tree, rootfs):
    (rootfs / "usr/lib/x86_64-linux-gnu/libc.so.6").unlink()
    with pytest.raises(InitramfsError, match=r"libc\.so\.6, which /.* needs, is not in the tree"):
        close_program(tree, "usr/sbin/e2fsck")


def test_a_run_path_counts_first(tree, rootfs):
    (rootfs / "opt/app/lib").mkdir(parents=True)
    (rootfs / "opt/app/lib/libc.so.6").write_bytes(make_elf())
    (rootfs / "opt/app/tool").write_bytes(make_elf(needed=("libc.so.6",), run_path="$ORIGIN/lib"))
    assert sorted(close_program(tree, "opt/app/tool")) == ["opt/app/lib/libc.so.6", "opt/app/tool"]


def test_a_script_is_no_program(tree, rootfs):
    (rootfs / "usr/bin/script").write_text("#!/bin/sh\n")
    with pytest.raises(InitramfsError, match="/usr/bin/script is no program"):
        close_program(tree, "/usr/bin/script")


def test_where_things_go():
    assert merged_path("lib64/ld.so") == "usr/lib64/ld.so"
    assert merged_path("usr/lib/x") == "usr/lib/x"
    assert merged_path("opt/x") == "opt/x"


def test_the_kind_of_a_tree(tree, rootfs):
    kind = kind_of_tree(tree)
    assert kind is not None
    assert kind.bits == 64
    (rootfs / "usr/sbin/e2fsck").unlink()
    (rootfs / "usr/bin/busybox").unlink()
    assert kind_of_tree(tree) is None
