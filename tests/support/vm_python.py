# SPDX-License-Identifier: Apache-2.0
"""The Python that runs the tests, our library and these helpers on a disk, to run a script in a guest.

The disk is the guest's first; others come behind it. A small ramdisk mounts it and starts the script.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import vm_tree
from ostrya.boot.initramfs import cpio
from support.recorded_disk import make_file_system

SUPPORT = Path(__file__).resolve().parent
SRC = SUPPORT.parents[1] / "src"
_DISK_BYTES = 256 << 20
MODULES = (
    "virtio_pci",
    "virtio_blk",
    "vfat",
    "nls_cp437",
    "nls_ascii",
    "nls_iso8859-1",
    "nls_utf8",
)
_NOT_NEEDED = shutil.ignore_patterns(
    "test", "tests", "site-packages", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "config-*",
    "*.a", "_bsdiff*", "_bspatch*", "distutils", "unittest", "pydoc_data",
)  # fmt: skip
_INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
for module in {modules}; do insmod "/modules/$module.ko"; done
mount -t ext4 -o ro /dev/vda /mnt || exit 1
mount -t proc proc /mnt/proc
mount -t sysfs sys /mnt/sys
mount -t devtmpfs dev /mnt/dev
mount -t tmpfs tmp /mnt/tmp
exec env LC_ALL=C.UTF-8 HOME=/tmp PYTHONPATH={paths} chroot /mnt {python} -B /script.py < /dev/ttyS0 > /dev/ttyS0 2>&1
"""


class PythonVm(NamedTuple):
    """What a guest is started with."""

    kernel: Path
    ramdisk: Path
    disk: Path


def build(folder: Path, script: str) -> PythonVm:
    """Make the disk and the ramdisk; the guest ends when the script does."""
    tree, top = vm_tree.build(), folder / "python-disk"
    for name in ("bin", "proc", "sys", "dev", "tmp", "mnt"):
        (top / name).mkdir(parents=True)
    shutil.copy(tree / "usr/bin/busybox", top / "bin/busybox")
    python = Path(os.path.realpath(sys.executable))
    stdlib = Path(sysconfig.get_path("stdlib"))
    for source in (stdlib, SRC / "ostrya", SUPPORT):
        shutil.copytree(source, top / str(source).lstrip("/"), ignore=_NOT_NEEDED, symlinks=True)
    for path in {python, *_libraries([python, *(stdlib / "lib-dynload").glob("*.so")])}:
        target = top / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (top / "script.py").write_text(script)
    disk = make_file_system(top, folder / "python.img", _DISK_BYTES)
    shutil.rmtree(top)
    ramdisk = folder / "ramdisk.cpio"
    ramdisk.write_bytes(_ramdisk(tree, folder / "modules", python))
    return PythonVm(vm_tree.kernel_image(tree), ramdisk, disk)


def _ramdisk(tree: Path, modules: Path, python: Path) -> bytes:
    modules.mkdir()
    order = _copy_modules(tree, modules)
    text = _INIT.format(paths=f"{SRC}:{SUPPORT.parent}", modules=" ".join(order), python=python)
    entries = [cpio.directory(name) for name in ("bin", "dev", "mnt", "modules")]
    entries.append(cpio.file("bin/busybox", (tree / "usr/bin/busybox").read_bytes(), mode=0o755))
    entries += [
        cpio.file(f"modules/{path.name}", path.read_bytes()) for path in sorted(modules.iterdir())
    ]
    entries.append(cpio.file("init", text.encode(), mode=0o755))
    return b"".join(cpio.encode_cpio(entries))


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """What programs are linked with."""
    found = set()
    for program in programs:
        done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)}
    return found


def _copy_modules(tree: Path, target: Path) -> list[str]:
    """Copy modules with what they need; return their names in an order that they can be loaded in."""
    folder = tree / vm_tree.MODULES / vm_tree.find_kver(tree)
    needs: dict[str, list[str]] = {}
    paths: dict[str, Path] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        name = Path(path).name.removesuffix(".ko")
        paths[name] = folder / path
        needs[name] = [Path(one).name.removesuffix(".ko") for one in others.split()]
    order: list[str] = []

    def add(name: str) -> None:
        for other in needs[name]:
            add(other)
        if name not in order:
            order.append(name)
            shutil.copy(paths[name], target / f"{name}.ko")

    for name in MODULES:
        add(name)
    return order
