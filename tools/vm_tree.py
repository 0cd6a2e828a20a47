# SPDX-License-Identifier: Apache-2.0
"""A kernel with its modules, busybox and e2fsck, for tests in QEMU; unpacked once into a cache.

The packages come from the sources that this machine's apt is set up with, and are unpacked without
being installed: nobody need be root.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from debian_tree import cache_folder
from filelock_once import locked

META = "linux-image-cloud-amd64"
PACKAGES = (
    "busybox-static", "e2fsprogs", "e2fsck-static", "libext2fs2", "libcom-err2",
    "libblkid1", "libuuid1", "libc6",
)  # fmt: skip
MODULES = "usr/lib/modules"


def missing() -> str:
    """Empty if the tree is here or can be made, else the reason why not."""
    if tree_path().is_dir():
        return ""
    for program in ("apt-get", "apt-cache", "dpkg-deb", "busybox"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return "" if kernel_package() else f"apt knows no {META}"


def tree_path() -> Path:
    """Where the tree is kept between runs."""
    return cache_folder() / "vm-tree"


def kernel_package() -> str:
    """The package that the newest kernel is in; empty if apt knows none."""
    argv = ["apt-cache", "depends", "--no-suggests", "--no-recommends", META]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return next((word for word in words if word.startswith("linux-image-") and word != META), "")


def build() -> Path:
    """Unpack the packages, or find the tree; return its directory.

    Raises:
        subprocess.CalledProcessError: A package could not be had.
    """
    target = tree_path()
    with locked(target.parent / "vm-tree.lock"):
        if target.is_dir():
            return target
        unfinished = target.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        packages = unfinished / "packages"
        packages.mkdir(parents=True)
        names = [kernel_package(), *PACKAGES]
        subprocess.run(
            ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *names],
            cwd=packages,
            check=True,
        )
        tree = unfinished / "tree"
        for name in ("bin", "sbin", "lib", "lib64"):
            (tree / "usr" / name).mkdir(parents=True)
            (tree / name).symlink_to(f"usr/{name}")
        for package in sorted(packages.glob("*.deb")):
            _unpack(package, tree)
        kver = find_kver(tree)
        subprocess.run(["busybox", "depmod", "-b", tree, kver], check=True)
        tree.rename(target)
        shutil.rmtree(unfinished)
    return target


def _unpack(package: Path, tree: Path) -> None:
    """Unpack a package over what is there, links to directories among it."""
    argv = ["tar", "--keep-directory-symlink", "--no-same-owner", "-C", str(tree), "-xf", "-"]
    made = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(made, stdout=subprocess.PIPE) as contents:
        subprocess.run(argv, stdin=contents.stdout, check=True)
    if contents.returncode != 0:
        raise subprocess.CalledProcessError(contents.returncode, contents.args)


def find_kver(tree: Path) -> str:
    """The version of its kernel."""
    return next(path.name for path in (tree / MODULES).iterdir())


def kernel_image(tree: Path) -> Path:
    """The file that a boot loader loads."""
    return tree / "boot" / f"vmlinuz-{find_kver(tree)}"


def main() -> int:
    """Make the tree."""
    if reason := missing():
        print(f"cannot make the tree: {reason}", file=sys.stderr)
        return 1
    print(build())
    return 0


if __name__ == "__main__":
    sys.exit(main())
