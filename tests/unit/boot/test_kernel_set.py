# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.kernel_set import KernelFile, KernelSet


def test_which_files_there_are():
    kernel, ramdisk = KernelFile("vmlinuz", "vmlinuz-6.1"), KernelFile("a", "b")
    assert KernelSet("x", "3f", kernel).files == (kernel,)
    assert KernelSet("x", "3f", kernel, ramdisk, dtb_dir="dtb").files == (kernel, ramdisk)
