# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.build import (
    InitramfsOptions,
    build_initramfs,
    find_module_version,
    read_script,
    without_comments,
)
from ostrya.boot.initramfs.compress import Compression
from ostrya.boot.initramfs.tree_files import TreeFiles
from support.elf_files import make_elf

KVER = "6.1.0-9-test"
FOLDER = f"usr/lib/modules/{KVER}"


def extract(data: bytes, folder: Path) -> Path:
    folder.mkdir()
    subprocess.run(
        ["cpio", "-idm", "--quiet", "--no-absolute-filenames"],
        input=data, cwd=folder, check=os.geteuid() == 0, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def unpacked(rootfs, tmp_path):
    built = build_initramfs(
        str(rootfs), InitramfsOptions(modules=("extra",), compression=Compression.NONE)
    )
    return extract(built.data, tmp_path / "out")


def test_init_is_one_program_by_both_names(unpacked):
    assert (unpacked / "init").resolve() == unpacked / "usr/sbin/init"
    assert (unpacked / "sbin/init").read_bytes() == without_comments(read_script("init.sh"))
    assert (unpacked / "usr/sbin/init").stat().st_mode & 0o7777 == 0o755


def test_what_is_in_it(unpacked):
    assert (unpacked / "usr/sbin/fsck.ext4").resolve() == unpacked / "usr/sbin/e2fsck"
    assert os.readlink(unpacked / "usr/sbin/modprobe") == "/usr/bin/busybox"
    assert "readonly=true" in (unpacked / "etc/ostree/prepare-root.conf").read_text()
    assert (unpacked / "usr/lib64/ld-linux.so.2").is_file()
    for name in ("dev", "proc", "run", "sys", "sysroot", "sysroot.tmp"):
        assert (unpacked / name).is_dir()


def test_scripts_lose_nothing_but_comments():
    script = b"#!/bin/sh\n# why\n\nif x; then\n    # how\n    echo '#' # y\nfi\n"
    assert without_comments(script) == b"#!/bin/sh\nif x; then\n    echo '#' # y\nfi\n"


def test_modules_are_unpacked_and_indexed(unpacked):
    assert (unpacked / FOLDER / "kernel/ext4.ko").read_bytes() == b"ext4.ko"
    dep = (unpacked / FOLDER / "modules.dep").read_text().splitlines()
    assert dep == [
        "kernel/ext4.ko:",
        "kernel/extra.ko: kernel/virtio.ko",
        "kernel/virtio.ko:",
        "kernel/virtio_blk.ko: kernel/virtio.ko",
    ]
    assert "alias virtio:d2v* virtio_blk" in (unpacked / FOLDER / "modules.alias").read_text()
    assert (unpacked / "etc/ostrya/modules").read_text() == "extra\n"
    assert (unpacked / "etc/ostrya/buses").read_text() == "virtio\n"


def test_etc_may_be_in_usr(rootfs, tmp_path):
    (rootfs / "etc").rename(rootfs / "usr/etc")
    built = build_initramfs(str(rootfs), InitramfsOptions(compression=Compression.NONE))
    assert (
        "readonly=true"
        in (extract(built.data, tmp_path / "o") / "etc/ostree/prepare-root.conf").read_text()
    )


@pytest.mark.parametrize("how", [Compression.GZIP, Compression.XZ])
def test_same_input_same_bytes(rootfs, tmp_path, how, monkeypatch):
    options = InitramfsOptions(compression=how)
    first = build_initramfs(str(rootfs), options)
    copy = tmp_path / "elsewhere"
    shutil.copytree(rootfs, copy, symlinks=True)
    for path in copy.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700)
            os.utime(path, (1, 1))
    before = os.umask(0o077)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.chdir(copy)
    try:
        fd = open_dir(".")
        second = build_initramfs(fd, options)
        os.close(fd)
    finally:
        os.umask(before)
    assert first.digest == second.digest
    assert first.data == second.data


def test_it_says_what_is_in_it(rootfs):
    built = build_initramfs(str(rootfs))
    assert built.kver == KVER
    assert built.checks == ("ext2", "ext3", "ext4")
    assert built.busybox == "the tree's /usr/bin/busybox"
    files = dict(built.files)
    assert files["usr/sbin/init"] == len(without_comments(read_script("init.sh")))
    assert gzip.decompress(built.data)[:6] == b"070701"


def test_without_modules_and_without_a_tool(rootfs):
    shutil.rmtree(rootfs / "usr/lib/modules")
    (rootfs / "usr/sbin/e2fsck").unlink()
    built = build_initramfs(str(rootfs))
    assert built.kver is None
    assert built.checks == ()
    assert not any(
        "modules" in path for path, _ in built.files if path.startswith("usr/lib/modules")
    )
    with pytest.raises(InitramfsError, match="'extra' is not there"):
        build_initramfs(str(rootfs), InitramfsOptions(modules=("extra",)))


def test_a_tool_without_libraries_is_preferred(rootfs):
    (rootfs / "usr/sbin/e2fsck.static").write_bytes(make_elf(tail=b"static"))
    files = dict(build_initramfs(str(rootfs)).files)
    assert files["usr/sbin/e2fsck"] == len(make_elf(tail=b"static"))
    assert not any("libext2fs" in path for path in files)


def test_what_the_kernel_does_not_take(rootfs):
    with pytest.raises(InitramfsError, match="CONFIG_RD_ZSTD"):
        build_initramfs(str(rootfs), InitramfsOptions(compression=Compression.ZSTD))


def test_a_module_that_is_not_there(rootfs):
    with pytest.raises(InitramfsError, match="'none' is not there"):
        build_initramfs(str(rootfs), InitramfsOptions(modules=("none",)))


def test_the_newest_kernel_is_taken(rootfs):
    for version in ("6.10.0-1", "6.9.0-1"):
        (rootfs / "usr/lib/modules" / version).mkdir()
        (rootfs / "usr/lib/modules" / version / "modules.dep").touch()
    (rootfs / "usr/lib/modules/7.0.0").mkdir()
    fd = open_dir(str(rootfs))
    try:
        tree = TreeFiles(fd)
        assert find_module_version(tree) == "6.10.0-1"
        assert find_module_version(tree, KVER) == KVER
        with pytest.raises(InitramfsError, match=r"no /usr/lib/modules/7\.0\.0/modules\.dep"):
            find_module_version(tree, "7.0.0")
    finally:
        os.close(fd)
