# SPDX-License-Identifier: Apache-2.0
"""How much our ramdisk adds to the way to userspace, against one that only mounts and switches.

Both have the same busybox and the same kernel modules, load what the disk needs, and start the same
program, in the same emulator without KVM, in turn. Prints medians and the least, of the guest's own
clock, which other work of this machine slows down, and of the emulator's processor time; and the
median difference of two that ran one after the other.

Usage: python tools/bench_ramdisk.py [--runs N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "tools")]

import vm_tree  # noqa: E402
from ostrya._linux.dirfd import open_dir  # noqa: E402
from ostrya.boot.initramfs import build, cpio  # noqa: E402
from ostrya.boot.initramfs.busybox import find_busybox  # noqa: E402
from ostrya.boot.initramfs.compress import Compression, compress  # noqa: E402
from ostrya.boot.initramfs.tree_files import TreeFiles  # noqa: E402
from support import vm_system  # noqa: E402
from support.qemu import Disk, Guest, qemu_argv  # noqa: E402

MINIMAL = b"""\
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
modprobe -a virtio_pci virtio_blk
while [ ! -b /dev/vda ]; do usleep 10000; done
mount -t ext4 /dev/vda /sysroot
for place in dev proc sys; do mount --move /$place /sysroot/$place; done
exec switch_root /sysroot /sbin/init
"""


def minimal_ramdisk(tree: Path, ours: build.Initramfs) -> bytes:
    """Make the other one: busybox and modules of ours, and that script."""
    fd = open_dir(str(tree))
    try:
        files = TreeFiles(fd)
        busybox = find_busybox(files)
        entries = [cpio.file(path, data, 0o755) for path, data in busybox.files.items()]
        entries += [cpio.link(f"usr/bin/{name}", "busybox") for name in busybox.applets]
        entries += [cpio.link(name, f"usr/{name}") for name in ("bin", "sbin", "lib")]
        entries += [cpio.link("usr/sbin/modprobe", "/usr/bin/busybox")]
        entries += [cpio.directory(name) for name in ("dev", "proc", "sys", "sysroot")]
        entries += [cpio.character_device("dev/console", 5, 1), cpio.file("init", MINIMAL, 0o755)]
        entries += build.module_entries(files, ours.kver or "", ())
    finally:
        os.close(fd)
    return b"".join(compress(cpio.encode_cpio(entries), Compression.GZIP))


def times_of(kernel: Path, ramdisk: Path, disk: Path, append: str) -> tuple[float, float]:
    """Boot once; return the guest's clock when its init has started, and the emulator's time."""
    argv = qemu_argv(
        kernel=kernel, initrd=ramdisk, append=f"console=ttyS0 quiet {append}",
        disks=[Disk(disk, throwaway=True)],
    )  # fmt: skip
    with Guest(argv) as guest:
        console = vm_system.Console(guest)
        cpu_s = guest.cpu_s()
        return float(console.run("echo $up").split()[0]), cpu_s


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    if reason := vm_tree.missing():
        print(reason, file=sys.stderr)
        return 1
    tree = vm_tree.build()
    kernel = vm_tree.kernel_image(tree)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        system = vm_system.make_system(folder, tree / "usr/bin/busybox")
        vm_system.make_disk(system, folder / "ours.img")
        plain = vm_system.System(folder / "tree", "", "")
        vm_system.make_disk(plain, folder / "minimal.img")
        ours = build.build_initramfs(str(tree))
        (folder / "ours").write_bytes(ours.data)
        (folder / "minimal").write_bytes(minimal_ramdisk(tree, ours))
        found: dict[str, list[tuple[float, float]]] = {"minimal": [], "ours": []}
        for _ in range(runs):
            for which, times in found.items():
                append = f"root=LABEL={vm_system.LABEL} rootfstype=ext4 ostree={system.link}"
                times.append(times_of(kernel, folder / which, folder / f"{which}.img", append))
        for which, times in found.items():
            size = (folder / which).stat().st_size
            clock, work = (statistics.median(values) for values in zip(*times, strict=True))
            least = [min(values) for values in zip(*times, strict=True)]
            print(f"{which:8} {size:9} bytes  clock {clock:.2f} s  work {work:.2f} s", end="  ")
            print(f"at least {least[0]:.2f} s, {least[1]:.2f} s")
        pairs = list(zip(found["minimal"], found["ours"], strict=True))
        clock = statistics.median(ours[0] - minimal[0] for minimal, ours in pairs)
        work = statistics.median(ours[1] - minimal[1] for minimal, ours in pairs)
        print(f"ours adds {clock:.2f} s by the clock, {work:.2f} s of work")
    return 0


if __name__ == "__main__":
    sys.exit(main())
