# SPDX-License-Identifier: Apache-2.0
"""The files that a boot loader loads to boot a tree. Pure."""

from __future__ import annotations

from ostrya.named_tuple import NamedTuple


class KernelFile(NamedTuple):
    """A file that is copied to ``/boot``.

    Attributes:
        source: Its name in the tree.
        name: Its name there.
    """

    source: str
    name: str


class KernelSet(NamedTuple):
    """What a boot loader loads.

    Attributes:
        folder: Where its files are, relative to the tree.
        bootcsum: SHA-256 of kernel, ramdisk and device trees, one after the other, in hex.
        kernel: The kernel.
        initramfs: Its ramdisk, if there is one.
        devicetree: Its device tree, if there is one by itself.
        dtb_dir: The directory of its device trees, if there are several.
        hmac: What the kernel checks itself with, if there is such a file.
        aboot: An image for Android's boot loader, if there is one.
    """

    folder: str
    bootcsum: str
    kernel: KernelFile
    initramfs: KernelFile | None = None
    devicetree: KernelFile | None = None
    dtb_dir: str | None = None
    hmac: KernelFile | None = None
    aboot: KernelFile | None = None

    @property
    def files(self) -> tuple[KernelFile, ...]:
        """All files but those of ``dtb_dir``."""
        found = (self.kernel, self.initramfs, self.devicetree, self.hmac, self.aboot)
        return tuple(file for file in found if file is not None)
