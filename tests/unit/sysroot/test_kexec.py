# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EPERM

import pytest

from ostrya.errors import BootloaderError
from ostrya.sysroot import kexec
from ostrya.sysroot.kexec import load_for_kexec
from support import os_tree

MODULES = f"usr/lib/modules/{os_tree.KERNEL}"


@pytest.mark.parametrize("has_initramfs", [True, False])
def test_what_is_loaded(machine, monkeypatch, has_initramfs):
    loaded = []

    def load(kernel_fd, initramfs_fd, arguments):
        initramfs = None if initramfs_fd is None else os.read(initramfs_fd, 99)
        loaded.append((os.read(kernel_fd, 99), initramfs, arguments))

    def edit(tree):
        if not has_initramfs:
            (tree / MODULES / "initramfs.img").unlink()

    monkeypatch.setattr(kexec, "load_next_kernel", load)
    deployment = machine.deploy(machine.commit("1", edit=edit), kargs="quiet")
    load_for_kexec(machine.sysroot, deployment)
    ((kernel, initramfs, arguments),) = loaded
    assert kernel == b"kernel 1\n"
    assert initramfs == (b"ramdisk 1\n" if has_initramfs else None)
    assert arguments.startswith("quiet ")
    assert "ostree=/ostree/boot." in arguments


def test_what_cannot_be_loaded(machine, monkeypatch):
    def refuse(*_words):
        raise OSError(EPERM, "Operation not permitted", "kexec_file_load")

    monkeypatch.setattr(kexec, "load_next_kernel", refuse)
    deployment = machine.deploy(machine.commit("1"))
    words = "Loading kernel into kexec: kexec_file_load: Operation not permitted"
    with pytest.raises(BootloaderError, match=words):
        load_for_kexec(machine.sysroot, deployment)
    with pytest.raises(BootloaderError, match="has no boot entry"):
        load_for_kexec(machine.sysroot, deployment._replace(entry=None))
