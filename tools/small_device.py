# SPDX-License-Identifier: Apache-2.0
"""A small root file system for disks that are started in QEMU: Debian's kernel, busybox, a shell.

The shell on the serial line says ``GUEST up RELEASE``, reads lines, runs them, and says how each
went. The packages are downloaded once into the cache folder, those of another architecture by an
apt that knows of nothing else; they are unpacked without being installed.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import vm_tree
from debian_tree import cache_folder
from filelock_once import locked
from ostrya.boot.initramfs.build import module_entries
from ostrya.boot.initramfs.tree_files import TreeFiles

INIT = """\
#!/bin/sh
PATH=/usr/bin:/usr/sbin
export PATH
read -r release < /usr/share/release
echo "GUEST up $release"
while read -r line; do
    eval "$line" 2>&1
    echo "GUEST status $?"
done
"""
_FOREIGN = ("linux-image-cloud-{arch}", "busybox-static", "e2fsck-static")
_APPLETS = (
    "ash", "cat", "dd", "df", "echo", "grep", "head", "ls", "mkdir", "mount", "poweroff", "ps",
    "reboot", "rm", "sh", "sleep", "stat", "sync", "tail", "test", "touch", "umount", "uname", "wc",
)  # fmt: skip


def tree_path(arch: str) -> Path:
    """Where the packages of an architecture are unpacked."""
    return vm_tree.tree_path() if arch == "amd64" else cache_folder() / f"vm-tree-{arch}"


def missing(arch: str = "amd64") -> str:
    """Empty if a root file system can be made here, else why not."""
    return "" if tree_path(arch).is_dir() else vm_tree.missing()


def build_tree(arch: str) -> Path:
    """Unpack the packages, or find them.

    Raises:
        subprocess.CalledProcessError: A package could not be had.
    """
    if arch == "amd64":
        return vm_tree.build()
    target = tree_path(arch)
    with locked(target.with_suffix(".lock")):
        if not target.is_dir():
            _unpack_foreign(arch, target)
    return target


def _unpack_foreign(arch: str, target: Path) -> None:
    work = target.with_suffix(".unfinished")
    subprocess.run(["rm", "-rf", work], check=True)
    for name in ("state/lists/partial", "cache/archives/partial", "packages", "tree"):
        (work / name).mkdir(parents=True)
    (work / "apt.conf").write_text(
        f'APT::Architecture "{arch}";\nAPT::Architectures {{ "{arch}"; }};\n'
        f'Dir::State "{work}/state";\nDir::State::status "/dev/null";\n'
        f'Dir::Cache "{work}/cache";\nAPT::Sandbox::User "root";\n'
    )
    apt = ["env", f"APT_CONFIG={work}/apt.conf"]
    subprocess.run([*apt, "apt-get", "-qq", "update"], check=True)
    meta = _FOREIGN[0].format(arch=arch)
    argv = [*apt, "apt-cache", "depends", "--no-suggests", "--no-recommends", meta]
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    kernel = next(word for word in found if word.startswith("linux-image-") and word != meta)
    names = [kernel, *_FOREIGN[1:]]
    argv = [*apt, "apt-get", "-qq", "download", *names]
    subprocess.run(argv, cwd=work / "packages", check=True)
    tree = work / "tree"
    for name in ("bin", "sbin", "lib"):
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    for package in sorted((work / "packages").glob("*.deb")):
        contents = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
        argv = ["tar", "--keep-directory-symlink", "--no-same-owner", "-C", str(tree), "-xf", "-"]
        subprocess.run(argv, stdin=contents.stdout, check=True)
        contents.wait()
    subprocess.run(["busybox", "depmod", "-b", tree, vm_tree.find_kver(tree)], check=True)
    tree.rename(target)
    subprocess.run(["rm", "-rf", work], check=True)


def make_tar(target: Path, *, arch: str = "amd64", version: str = "1") -> Path:
    """Make the root file system of a release, as an archive.

    Args:
        target: Where it is written.
        arch: As Debian calls it.
        version: What the release is called, in ``/usr/share/release``.
    """
    tree = build_tree(arch)
    kver = vm_tree.find_kver(tree)
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data, mode in _files(tree, kver):
            _add(tar, name, data, mode)
        for name in ("bin", "sbin", "lib", "lib64"):
            _link(tar, name, f"usr/{name}")
        for name in _APPLETS:
            _link(tar, f"usr/bin/{name}", "busybox")
        _add(tar, "usr/sbin/init", INIT.encode(), 0o755)
        _add(tar, "usr/share/release", f"{version}\n".encode(), 0o644)
        release = f'PRETTY_NAME="Small device {version}"\nID=small\n'
        _add(tar, "usr/lib/os-release", release.encode(), 0o644)
        _add(tar, "etc/fstab", b"", 0o644)
        _add(tar, "etc/greeting", f"of release {version}\n".encode(), 0o644)
        _add(tar, "var/lib/begun", f"with release {version}\n".encode(), 0o600)
    return target


def _files(tree: Path, kver: str) -> Iterator[tuple[str, bytes, int]]:
    """The files that are taken as they are: path, content, mode."""
    places = ("usr/bin/busybox", "bin/busybox", "usr/sbin/e2fsck.static", "sbin/e2fsck.static")
    for name in ("busybox", "e2fsck.static"):
        path = next(
            tree / place for place in places if place.endswith(name) and (tree / place).is_file()
        )
        yield f"usr/{'sbin' if name == 'e2fsck.static' else 'bin'}/{name}", path.read_bytes(), 0o755
    for name in ("vmlinuz", "config"):
        yield f"boot/{name}-{kver}", (tree / "boot" / f"{name}-{kver}").read_bytes(), 0o644
    # Those that a ramdisk takes along, and no others: a disk is built in seconds.
    fd = os.open(tree, os.O_RDONLY)
    try:
        for entry in module_entries(TreeFiles(fd), kver, ()):
            if entry.path.startswith(vm_tree.MODULES):
                yield entry.path, bytes(entry.data), 0o644
    finally:
        os.close(fd)


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode & 0o777
    tar.addfile(info, io.BytesIO(data))


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
    tar.addfile(info)


def main() -> int:
    """Make the archive."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--arch", default="amd64")
    parser.add_argument("--version", default="1")
    args = parser.parse_args()
    if reason := missing(args.arch):
        print(f"cannot make a small device: {reason}", file=sys.stderr)
        return 1
    print(make_tar(args.output, arch=args.arch, version=args.version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
