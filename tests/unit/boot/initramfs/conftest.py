# SPDX-License-Identifier: Apache-2.0
"""A root file system with what a ramdisk takes from it."""

from __future__ import annotations

import gzip

import pytest

from ostrya.boot.initramfs.busybox import NEEDED
from support.elf_files import fake_busybox, make_elf

KVER = "6.1.0-9-test"


@pytest.fixture
def rootfs(tmp_path):
    """The tree of a small system."""
    top = tmp_path / "rootfs"
    for name in (
        "usr/bin",
        "usr/sbin",
        "usr/lib/x86_64-linux-gnu",
        "usr/lib64",
        "etc/ostree",
        "boot",
    ):
        (top / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (top / name).symlink_to(f"usr/{name}")
    (top / "usr/bin/busybox").write_bytes(fake_busybox(NEEDED))
    libraries = top / "usr/lib/x86_64-linux-gnu"
    (libraries / "libc.so.6").write_bytes(make_elf(needed=("ld-linux.so.2",)))
    (libraries / "libext2fs.so.2.4").write_bytes(make_elf(needed=("libc.so.6",)))
    (libraries / "libext2fs.so.2").symlink_to("libext2fs.so.2.4")
    (libraries / "ld.so").write_bytes(make_elf())
    (top / "usr/lib64/ld-linux.so.2").symlink_to("/lib/x86_64-linux-gnu/ld.so")
    (top / "usr/sbin/e2fsck").write_bytes(
        make_elf(needed=("libext2fs.so.2", "libc.so.6"), interpreter="/lib64/ld-linux.so.2")
    )
    (top / "etc/ostree/prepare-root.conf").write_text("[sysroot]\nreadonly=true\n")
    modules = top / "usr/lib/modules" / KVER
    (modules / "kernel").mkdir(parents=True)
    for name in ("virtio.ko", "virtio_blk.ko", "extra.ko"):
        (modules / "kernel" / name).write_bytes(name.encode())
    (modules / "kernel/ext4.ko.gz").write_bytes(gzip.compress(b"ext4.ko"))
    (modules / "modules.dep").write_text(
        "kernel/virtio.ko:\nkernel/virtio_blk.ko: kernel/virtio.ko\nkernel/extra.ko: kernel/virtio.ko\n"
        "kernel/ext4.ko.gz:\n"
    )
    (modules / "modules.alias").write_text("alias virtio:d2v* virtio_blk\nalias fs-ext4 ext4\n")
    (top / f"boot/config-{KVER}").write_text("CONFIG_RD_GZIP=y\nCONFIG_RD_XZ=y\n")
    return top
