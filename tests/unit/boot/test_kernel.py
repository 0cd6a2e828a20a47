# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.errors import KernelNotFound
from ostrya.boot.kernel import find_kernel, find_kernel_versions
from ostrya.boot.kernel_set import KernelFile, KernelSet

CSUM = "3f" * 32


class Tree:
    """A tree of files that a test writes."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def write(self, path: str, text: str = "") -> None:
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def find(self, **options: bool | str) -> KernelSet:
        fd = open_dir(str(self.top))
        try:
            return find_kernel(fd, **options)
        finally:
            os.close(fd)


@pytest.fixture
def tree(tmp_path) -> Tree:
    return Tree(tmp_path)


def test_beside_its_modules(tree):
    folder = "usr/lib/modules/6.1"
    for name in ("vmlinuz", "initramfs.img", "devicetree", ".vmlinuz.hmac", "aboot.img", "other"):
        tree.write(f"{folder}/{name}", name)
    found = tree.find()
    assert found == KernelSet(
        folder,
        sha256(b"vmlinuzinitramfs.imgdevicetree").hexdigest(),
        KernelFile("vmlinuz", "vmlinuz-6.1"),
        KernelFile("initramfs.img", "initramfs-6.1.img"),
        KernelFile("devicetree", "devicetree-6.1"),
        None,
        KernelFile(".vmlinuz.hmac", ".vmlinuz-6.1.hmac"),
        KernelFile("aboot.img", "aboot-6.1.img"),
    )
    assert [file.source for file in found.files] == [
        "vmlinuz", "initramfs.img", "devicetree", ".vmlinuz.hmac", "aboot.img",
    ]  # fmt: skip
    assert tree.find(with_devicetrees=False).devicetree is None


def test_a_directory_of_device_trees(tree):
    tree.write("usr/lib/modules/6.1/vmlinuz", "k")
    tree.write("usr/lib/modules/6.1/initramfs", "i")
    for path in ("b.dtb", "a/c.dtb", "Z.dtb"):
        tree.write(f"usr/lib/modules/6.1/dtb/{path}", path)
    found = tree.find()
    assert found.dtb_dir == "dtb"
    assert found.initramfs == KernelFile("initramfs", "initramfs-6.1.img")
    assert found.bootcsum == sha256(b"kiZ.dtba/c.dtbb.dtb").hexdigest()
    assert tree.find(with_devicetrees=False).bootcsum == sha256(b"ki").hexdigest()


def test_the_newest_of_several(tree):
    for version in ("6.9.0", "6.10.0", "5.99"):
        tree.write(f"usr/lib/modules/{version}/vmlinuz", version)
    tree.write("usr/lib/modules/7.0/modules.dep")
    (tree.top / "usr/lib/modules/8.0/vmlinuz").mkdir(parents=True)
    assert tree.find().kernel.name == "vmlinuz-6.10.0"
    fd = open_dir(str(tree.top))
    assert find_kernel_versions(fd) == ["6.10.0", "6.9.0", "5.99"]
    os.close(fd)


def test_the_one_of_several_that_was_deployed(tree):
    for version in ("6.9.0", "6.10.0"):
        tree.write(f"usr/lib/modules/{version}/vmlinuz", version)
    deployed = sha256(b"6.9.0").hexdigest()
    assert tree.find(bootcsum=deployed).kernel.name == "vmlinuz-6.9.0"
    assert tree.find(bootcsum=CSUM).kernel.name == "vmlinuz-6.10.0"


def test_the_one_of_several_of_old_that_was_deployed(tree):
    other = "4e" * 32
    for name in (f"6.1-{CSUM}", f"6.2-{other}"):
        tree.write(f"boot/vmlinuz-{name}")
        tree.write(f"boot/initramfs-{name}")
    assert tree.find().kernel.name == "vmlinuz-6.2"
    found = tree.find(bootcsum=CSUM)
    assert (found.kernel.name, found.bootcsum) == ("vmlinuz-6.1", CSUM)
    assert tree.find(bootcsum="5d" * 32).bootcsum == other


@pytest.mark.parametrize("folder", ["usr/lib/ostree-boot", "boot"])
def test_by_the_checksum_in_its_name(tree, folder):
    tree.write(f"{folder}/vmlinuz-6.1-{CSUM}")
    tree.write(f"{folder}/initramfs-6.1-{CSUM}")
    tree.write(f"{folder}/devicetree-6.1-{CSUM}")
    tree.write(f"{folder}/vmlinuz-6.1")
    tree.write(f"{folder}/grub.cfg")
    found = tree.find()
    assert (found.folder, found.bootcsum) == (folder, CSUM)
    assert found.kernel == KernelFile(f"vmlinuz-6.1-{CSUM}", "vmlinuz-6.1")
    assert found.initramfs == KernelFile(f"initramfs-6.1-{CSUM}", "initramfs-6.1")
    assert found.devicetree == KernelFile(f"devicetree-6.1-{CSUM}", "devicetree-6.1")


def test_which_of_both_places(tree):
    tree.write("usr/lib/modules/6.1/vmlinuz")
    tree.write(f"usr/lib/ostree-boot/vmlinuz-6.1-{CSUM}")
    assert tree.find().folder == "usr/lib/modules/6.1"
    tree.write(f"usr/lib/ostree-boot/initramfs-6.1-{CSUM}")
    assert tree.find().folder == "usr/lib/ostree-boot"
    tree.write("usr/lib/modules/6.1/initramfs.img")
    assert tree.find().folder == "usr/lib/modules/6.1"


def test_none(tree):
    with pytest.raises(KernelNotFound, match="Failed to find kernel in /usr/lib/modules"):
        tree.find()
    tree.write("usr/lib/ostree-boot/vmlinuz-6.1")
    tree.write(f"boot/vmlinuz-6.1-{CSUM}")
    with pytest.raises(KernelNotFound):
        tree.find()


@pytest.mark.parametrize("kind", ["initramfs", "devicetree"])
def test_pieces_of_two(tree, kind):
    tree.write(f"boot/vmlinuz-6.1-{CSUM}")
    tree.write(f"boot/{kind}-6.1-{'4f' * 32}")
    with pytest.raises(KernelNotFound, match="Mismatched kernel checksum"):
        tree.find()


@pytest.mark.parametrize("version", ["6.1;reboot", '6.1"', "$(x)", "6 1", "6.1\nset", "ü", "6.1\\"])
def test_a_name_that_a_boot_loader_would_read_as_something_else(tree, version):
    tree.write(f"usr/lib/modules/{version}/vmlinuz")
    with pytest.raises(KernelNotFound, match="no boot loader is told of a name"):
        tree.find()


@pytest.mark.parametrize("kind", ["vmlinuz", "initramfs", "devicetree"])
def test_the_same_by_the_checksum_in_its_name(tree, kind):
    tree.write(f"boot/vmlinuz-6.1-{CSUM}")
    tree.write(f"boot/{kind}-99{{x}}-{CSUM}")
    with pytest.raises(KernelNotFound, match="no boot loader is told of a name"):
        tree.find()
