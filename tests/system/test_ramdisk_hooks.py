# SPDX-License-Identifier: Apache-2.0
"""A distribution's own ramdisk with our hooks in it, made by its own tools and booted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ostrya.boot.initramfs.hooks import install_hooks
from support import mounts, qemu
from support.qemu import FAST_KARGS, Disk, Guest, qemu_argv
from support.vm_system import Console, make_disk, make_system

pytestmark = [
    pytest.mark.vm,
    pytest.mark.vm_full,
    pytest.mark.root,
    pytest.mark.rootfs,
    pytest.mark.xdist_group("vm"),
]


@pytest.fixture
def debian(debian_tree_path, tmp_path) -> Path:
    """The Debian tree, with a layer over it to write to."""
    for reason in (qemu.missing(), mounts.missing("overlayfs")):
        if reason:
            pytest.skip(reason)
    mounts.enter_private_namespace()
    layers = tmp_path / "layers"
    layers.mkdir()
    mounts.run("mount", "-t", "tmpfs", "none", str(layers))
    for name in ("upper", "work", "tree"):
        (layers / name).mkdir()
    options = f"lowerdir={debian_tree_path},upperdir={layers}/upper,workdir={layers}/work"
    mounts.run("mount", "-t", "overlay", "-o", options, "none", f"{layers}/tree")
    tree = layers / "tree"
    for name in ("proc", "dev"):
        mounts.run("mount", "--rbind", f"/{name}", f"{tree}/{name}")
    yield tree
    mounts.unmount(tmp_path)


def make_with_initramfs_tools(tree: Path, kver: str) -> bytes:
    install_hooks(str(tree))
    # What Debian puts in otherwise is what runs here: this machine has not the disk.
    (tree / "etc/initramfs-tools/conf.d/test").write_text(
        "MODULES=most\nCOMPRESS=gzip\nFSTYPE=ext4\n"
    )
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    argv = ["chroot", str(tree), "mkinitramfs", "-o", "/tmp/ramdisk", kver]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (tree / "tmp/ramdisk").read_bytes()


def make_with_dracut(tree: Path, kver: str) -> bytes:
    packages = tree / "tmp/packages"
    packages.mkdir()
    download = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "dracut-core"]
    if subprocess.run(download, cwd=packages, check=False).returncode != 0:
        pytest.skip("apt has no dracut-core")
    archive = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", next(packages.iterdir())], check=True, capture_output=True
    ).stdout
    unpack = ["tar", "--keep-directory-symlink", "-C", str(tree), "-xf", "-"]
    subprocess.run(unpack, input=archive, check=True)
    install_hooks(str(tree))
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    argv = [
        "chroot", str(tree), "dracut", "--no-hostonly", "--force", "--add", "ostrya",
        "--add-drivers", "virtio_pci virtio_blk", "/tmp/ramdisk", kver,
    ]  # fmt: skip
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (tree / "tmp/ramdisk").read_bytes()


MAKERS = {"initramfs-tools": make_with_initramfs_tools, "dracut": make_with_dracut}


@pytest.mark.parametrize("how", MAKERS)
def test_it_boots(debian, tmp_path, how):
    kver = next((debian / "usr/lib/modules").iterdir()).name
    ramdisk = tmp_path / "ramdisk"
    ramdisk.write_bytes(MAKERS[how](debian, kver))
    busybox = Path("/usr/bin/busybox")
    system = make_system(tmp_path, busybox)
    disk = make_disk(system, tmp_path / "disk.img")
    append = f"console=ttyS0 {FAST_KARGS} root=LABEL=otaroot rw ostree={system.link}"
    argv = qemu_argv(
        kernel=debian / f"boot/vmlinuz-{kver}", initrd=ramdisk, append=append, disks=[Disk(disk)],
        # That of dracut does not fit into less.
        memory_mib=512,
    )  # fmt: skip
    with Guest(argv) as guest:
        console = Console(guest, timeout=200)
        assert "in /var" in console.run("cat /var/kept")
        assert console.run("touch /usr/x 2>/dev/null || echo read-only") == "read-only"
        assert console.run("touch /etc/x && ls -d /sysroot/ostree") == "/sysroot/ostree"
        assert "backing-root-device-inode" in console.run("cat /run/ostree-booted")
    # What cannot be done is said, and the machine starts again.
    argv[argv.index("-append") + 1] = append.replace(system.link, "/ostree/none")
    with Guest(argv) as guest:
        guest.expect("ostrya: ostree=/ostree/none: there is no such link", 200)
        assert guest.wait(60) == 0
