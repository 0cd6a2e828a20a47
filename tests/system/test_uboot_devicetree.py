# SPDX-License-Identifier: Apache-2.0
"""Device trees and overlays by our script, in a real U-Boot of 64-bit ARM.

Debian's applies no overlays; one that does is built of Debian's source (tools/build_uboot.py).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import build_uboot
from ostrya.boot.backends.uboot import make_uenv
from ostrya.boot.backends.uboot_trial import make_boot_script
from ostrya.boot.bls import Entry
from ostrya.boot.uboot_image import Architecture, encode_script
from support import arm64_uboot
from support.arm64_uboot import BOARD, DEBIAN_UBOOT, MACHINE, run_uboot
from support.tiny_kernel import tiny_arm64_kernel
from system.test_loader_states import Disk

pytestmark = [pytest.mark.vm, pytest.mark.timeout(900)]

OVERLAY = '/dts-v1/; /plugin/; &{%s} { %s = "laid over"; };'
FELL_BACK = b"n=2 ostrya.pick=fallback-load\0"


@pytest.fixture(autouse=True)
def told(record_property, request):
    story = request.node.name.removeprefix("test_").replace("_", " ")
    record_property("told", f"qemu-arm64, U-Boot, device trees|{story}")


@pytest.fixture
def debian_uboot():
    if reason := arm64_uboot.missing():
        pytest.skip(reason)
    return DEBIAN_UBOOT


@pytest.fixture
def applying():
    """A U-Boot that applies overlays."""
    if reason := arm64_uboot.missing() or build_uboot.missing():
        pytest.skip(reason)
    return build_uboot.build()


def compile_overlay(top: Path, name: str, node: str = "/chosen") -> bytes:
    source, target = top / f"{name}.dts", top / f"{name}.dtbo"
    source.write_text(OVERLAY % (node, name))
    subprocess.run(["dtc", "-@", "-o", target, source], check=True, capture_output=True)
    return target.read_bytes()


def machines_tree(top: Path) -> bytes:
    """The device tree that QEMU makes, with a mark of our own."""
    target, source = top / "virt.dtb", top / "virt.dts"
    argv = ["qemu-system-aarch64", MACHINE[0], f"virt,dumpdtb={target}", *MACHINE[2:]]
    subprocess.run(argv, check=True, capture_output=True)
    subprocess.run(["dtc", "-o", source, target], check=True, capture_output=True)
    marked = source.read_text().replace("chosen {", 'chosen { of-the-release = "yes";', 1)
    source.write_text(marked)
    subprocess.run(["dtc", "-o", target, source], check=True, capture_output=True)
    return target.read_bytes()


def start(
    top: Path, firmware: Path, fields: dict[str, str], files: dict[str, bytes], own: str = ""
) -> bytes:
    """Start it; return the device tree that the kernel got."""
    entries = [
        Entry({"title": f"OS {number}", "linux": f"/k{number}", "options": f"n={number}", **more})
        for number, more in ((1, fields), (2, {}))
    ]
    kernels = {f"boot/k{number}": tiny_arm64_kernel() for number in (1, 2)}
    uenv = (make_uenv(entries, None) + own).encode()
    script = encode_script(make_boot_script(BOARD), Architecture.ARM64, "Ostrya")
    disk = Disk(top, {"boot.scr": script}, kernels | {"boot/loader/uEnv.txt": uenv} | files)
    said, tree = run_uboot(disk.path, top / "log", firmware)
    assert tree, said[-3000:]
    return tree


def test_the_firmwares_own(debian_uboot, tmp_path):
    tree = start(tmp_path, debian_uboot, {}, {})
    assert b"n=1 \0" in tree
    assert b"of-the-release" not in tree


@pytest.mark.parametrize("how", ["devicetree", "fdtdir"])
def test_of_the_release(debian_uboot, tmp_path, how):
    own = "fdtfile=virt.dtb\n" if how == "fdtdir" else ""
    path = "/trees" if how == "fdtdir" else "/trees/virt.dtb"
    files = {"boot/trees/virt.dtb": machines_tree(tmp_path)}
    tree = start(tmp_path, debian_uboot, {how: path}, files, own)
    assert b"of-the-release\0" in tree
    assert b"n=1 \0" in tree


def test_without_its_device_tree_the_fallback_is_started(debian_uboot, tmp_path):
    assert FELL_BACK in start(tmp_path, debian_uboot, {"devicetree": "/trees/not-there.dtb"}, {})


def test_without_its_overlay_too(debian_uboot, tmp_path):
    assert FELL_BACK in start(tmp_path, debian_uboot, {}, {}, "fdt_overlays=/boot/not-there.dtbo\n")


def test_and_where_overlays_cannot_be_applied(debian_uboot, tmp_path):
    files = {"boot/one.dtbo": compile_overlay(tmp_path, "one")}
    assert FELL_BACK in start(tmp_path, debian_uboot, {}, files, "fdt_overlays=/boot/one.dtbo\n")


@pytest.mark.vm_full
@pytest.mark.parametrize("of_the_release", [True, False])
def test_overlays(applying, tmp_path, of_the_release):
    files = {
        "boot/trees/virt.dtb": machines_tree(tmp_path),
        "boot/one.dtbo": compile_overlay(tmp_path, "one"),
        "boot/two.dtbo": compile_overlay(tmp_path, "two"),
    }
    fields = {"devicetree": "/trees/virt.dtb"} if of_the_release else {}
    own = "fdt_overlays=/boot/one.dtbo /boot/two.dtbo\n"
    tree = start(tmp_path, applying, fields, files, own)
    assert b"one\0" in tree
    assert b"two\0" in tree
    assert tree.count(b"laid over\0") == 2
    assert (b"of-the-release\0" in tree) == of_the_release
    assert b"n=1 \0" in tree


@pytest.mark.vm_full
def test_an_overlay_that_does_not_fit(applying, tmp_path):
    """It spoils the tree that it is laid over, which the fallback must not get."""
    files = {
        "boot/one.dtbo": compile_overlay(tmp_path, "one"),
        "boot/two.dtbo": compile_overlay(tmp_path, "two", "/soc/not-there"),
    }
    own = "fdt_overlays=/boot/one.dtbo /boot/two.dtbo\n"
    assert FELL_BACK in start(tmp_path, applying, {}, files, own)
