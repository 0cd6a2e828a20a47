# SPDX-License-Identifier: Apache-2.0
"""Root file systems packed as Yocto, Buildroot and others do: what is taken in is what was packed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ostrya.image.sources import take_in
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_tree
from support.commands import have
from support.small_repos import make_repo
from support.trees import write

pytestmark = pytest.mark.root

# Of Yocto's image_types.bbclass and Buildroot's fs/tar/tar.mk, what they give to tar.
_YOCTO = ("--sort=name", "--format=posix", "--numeric-owner", "--xattrs", "--xattrs-include=*")
_BUILDROOT = (
    "--numeric-owner", "--pax-option=exthdr.name=%d/PaxHeaders/%f,atime:=0,ctime:=0",
    "--xattrs", "--xattrs-include=*", "--sort=name",
)  # fmt: skip
_PACKED = {
    "yocto.tar": ("tar", *_YOCTO),
    "yocto.tar.xz": ("tar", *_YOCTO, "-J"),
    "yocto.tar.zst": ("tar", *_YOCTO, "--zstd"),
    "buildroot.tar": ("tar", *_BUILDROOT),
    "buildroot.tar.bz2": ("tar", *_BUILDROOT, "-j"),
    "sparse.tar.gz": ("tar", "--sparse", "--xattrs", "--xattrs-include=*", "-z"),
    "bsdtar.tar.gz": ("bsdtar", "--format=pax", "--xattrs", "-z"),
}


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory) -> Path:
    """A root file system with all that can be packed."""
    top = tmp_path_factory.mktemp("rootfs") / "rootfs"
    write(top / "usr/bin/su", b"program", 0o4755)
    write(top / "usr/bin/ping", b"capable", 0o755)
    os.setxattr(
        top / "usr/bin/ping", "security.capability", bytes.fromhex("0100000200200000" + "00" * 12)
    )
    write(top / f"usr/share/{'long' * 40}/{'name' * 40}", b"x")
    write(top / "usr/share/\u00fcmlaut", b"x")
    write(top / "var/lib/owned/f", b"x", 0o640)
    for path in (top / "var/lib/owned", top / "var/lib/owned/f"):
        os.chown(path, 70000, 70001)
    (top / "var/lib/owned").chmod(0o2750)
    os.link(top / "usr/bin/su", top / "usr/bin/other")
    (top / "bin").symlink_to("usr/bin")
    with (top / "var/sparse").open("wb") as stream:
        stream.truncate(4 << 20)
        stream.seek(1 << 20)
        stream.write(b"data")
    (top / "dev").mkdir()
    os.mknod(top / "dev/console", 0o020600, os.makedev(5, 1))
    os.mknod(top / "var/lib/device", 0o060600, os.makedev(7, 0))
    os.mkfifo(top / "var/lib/fifo")
    return top


@pytest.mark.parametrize("name", _PACKED)
def test_an_archive_is_what_was_packed(rootfs, tmp_path, name):
    program, *options = _PACKED[name]
    if not have(program):
        pytest.skip(f"{program} is not installed")
    path = tmp_path / name
    subprocess.run([program, *options, "-cf", str(path), "-C", str(rootfs), "."], check=True)
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        directory, archive = (take_in(tx, str(place)) for place in (rootfs, path))
        assert write_tree(tx, archive.editor.root) == write_tree(tx, directory.editor.root)
        assert sorted(archive.left_out) == ["/var/lib/device", "/var/lib/fifo"]
        assert archive.editor.find("usr/bin/su") == archive.editor.find("usr/bin/other")
        assert archive.editor.header("usr/bin/ping").xattrs[0][0] == b"security.capability"
