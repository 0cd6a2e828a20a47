# SPDX-License-Identifier: Apache-2.0
"""Disks of test devices: a slim Debian with Ostrya in it, and releases that are good and bad.

A disk is built once and kept in the cache folder, under a name that says what it was built of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import device_tree
from debian_tree import cache_folder
from filelock_once import locked
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.image.board import load_board
from ostrya.image.board_parts import Qemu
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.release import ReleaseOptions, commit_release
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_commit, load_dirtree, load_file
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import Repository, create_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.lookup import commit_root, resolve_path, walk
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from support.device import Device

FILES = Path(__file__).resolve().parent / "device_files"
SOURCE = device_tree.SOURCE
TEST = "usr/lib/ostrya-test"
TIME = 1_767_225_600
# What each release does.
BEHAVIOURS = {
    "2": "good", "3": "good", "panic": "panic", "hang": "hang", "unhealthy": "unhealthy",
}  # fmt: skip
# Releases with the same kernel share it in /boot: this one has another.
OTHER_KERNEL = "3"
KARGS = (f"init=/{TEST}/init", "panic=1", "quiet")
BIOS = "-bios"
# Not needed by what these devices do; a device takes time for every file.
_LEFT_OUT = (
    "usr/share/perl", "usr/share/perl5", "usr/share/bash-completion", "usr/share/lintian",
    "usr/share/zsh", "usr/share/bug", "usr/share/doc", "usr/share/man", "usr/share/locale",
    "usr/lib/x86_64-linux-gnu/perl", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/klibc",
    "var/lib/dpkg/info", "usr/lib/python3.11/test", "usr/lib/python3.11/asyncio",
    "usr/lib/python3.11/unittest", "usr/lib/python3.11/idlelib", "usr/lib/udev/hwdb",
)  # fmt: skip
_LEFT_OUT_MODULES = (
    "net/", "sound/", "drivers/net/", "drivers/hid/", "drivers/comedi/", "drivers/md/", "fs/nfs",
    "drivers/infiniband/", "drivers/thermal/", "drivers/leds/", "drivers/target/", "drivers/xen/",
)  # fmt: skip


def missing() -> str:
    """Empty if disks can be built, else why not."""
    for program in ("qemu-system-x86_64", "mke2fs", "debugfs"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return device_tree.missing()


def board_of(name: str) -> tuple[str, str]:
    """Split a name of the matrix into a board's and the kind of firmware it is started with."""
    board = name.removesuffix(BIOS)
    return board, "bios" if name != board else ""


def build_disk_of(name: str, kargs: tuple[str, ...] = ()) -> Path:
    """Build the disk of a board, or find it.

    Args:
        name: Of the matrix.
        kargs: Kernel arguments beside the usual ones.
    """
    board_name, _ = board_of(name)
    folder = cache_folder() / "devices"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{board_name}-{_fingerprint(kargs)}.img"
    with locked(folder / f"{board_name}.lock"):
        if target.exists():
            return target
        for old in folder.glob(f"{board_name}-*.img"):
            # Another board's name may begin with this one.
            if old.name[len(board_name) + 1 :].count("-") == 0:
                old.unlink()
        unfinished = target.with_suffix(".unfinished")
        repo, refs = _releases(folder)
        with repo:
            options = DiskOptions(
                "os/1", TIME, kargs=(*KARGS, *kargs),
                preloaded=tuple((ref, commit) for ref, commit in refs.items() if ref != "os/1"),
            )  # fmt: skip
            build_disk(repo, [refs["os/1"]], load_board(board_name), str(unfinished), options)
        unfinished.rename(target)
    return target


def start_device(name: str, disk: Path, top: Path) -> Device:
    """Return a device with a disk of its own, switched off.

    Args:
        name: Of the matrix.
        disk: What it begins with; it is not changed.
        top: Where its own disk and its transcripts are.
    """
    board_name, kind = board_of(name)
    board = load_board(board_name)
    qemu = board.qemu_bios if kind else board.qemu
    assert qemu is not None
    own = top / "disk.img"
    subprocess.run(["cp", "--sparse=always", disk, own], check=True)
    return Device([qemu.program, *_arguments(qemu, own, top), "-nic", "none"], own, top / "console")


def _arguments(qemu: Qemu, disk: Path, top: Path) -> Iterator[str]:
    variables = top / "firmware-variables"
    if qemu.firmware_vars:
        shutil.copyfile(qemu.firmware_vars, variables)
    for word in qemu.arguments:
        yield word.format(disk=disk, vars=variables)


def _fingerprint(kargs: tuple[str, ...] = ()) -> str:
    """What a disk depends on: our sources, the test's files, and Debian's packages."""
    digest = hashlib.sha256(" ".join(kargs).encode())
    paths = [*SOURCE.rglob("*"), *FILES.rglob("*"), Path(__file__), Path(device_tree.__file__)]
    for path in sorted(paths):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so":
            digest.update(str(path.relative_to(path.anchor)).encode())
            digest.update(path.read_bytes())
    # Made first where they are not here yet: the name may not be another one afterwards.
    base = device_tree.build_base()
    digest.update(str(base.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]


def _releases(folder: Path) -> tuple[Repository, dict[str, str]]:
    """Commit all releases; those after the first differ from it by a few files."""
    top = folder / f"repo-{_fingerprint()}"
    names = {f"os/{release}": release for release in BEHAVIOURS}
    with locked(folder / "repo.lock"):
        if not top.exists():
            for old in folder.glob("repo-*"):
                shutil.rmtree(old)
            unfinished = folder / "unfinished-repo"
            shutil.rmtree(unfinished, ignore_errors=True)
            with create_repository(str(unfinished), RepoMode.ARCHIVE) as repo:
                _commit_first(repo, folder)
                for ref, release in names.items():
                    _commit_other(repo, ref, release, folder)
            unfinished.rename(top)
    repo = create_repository(str(top), RepoMode.ARCHIVE)
    return repo, {ref: require_rev(repo, ref) for ref in ("os/1", *names)}


def _commit_first(repo: Repository, folder: Path) -> None:
    full, slim = folder / "full.tar", folder / "slim.tar"
    files = {
        f"{TEST}/init": (FILES / "init").read_text(),
        f"{TEST}/bin/systemctl": (FILES / "bin/systemctl").read_text(),
        f"{TEST}/release": "1\n",
        f"{TEST}/behaviour": "good\n",
        "usr/lib/ostrya/health/required.d/50-test": (FILES / "unhealthy").read_text(),
    }
    device_tree.make_device_tar(full, version="1", files=files)
    with tarfile.open(full) as source, tarfile.open(slim, "w", format=tarfile.PAX_FORMAT) as tar:
        for member in source:
            if _is_wanted(member.name.removeprefix("./")):
                data = source.extractfile(member) if member.isreg() else None
                tar.addfile(member, data)
    commit_release(repo, str(slim), ReleaseOptions("os/1", TIME, "1"))
    full.unlink()
    slim.unlink()


def _is_wanted(name: str) -> bool:
    if name.startswith(_LEFT_OUT):
        return False
    _, kernel, module = name.partition("/kernel/")
    return not (
        kernel and name.startswith("usr/lib/modules") and module.startswith(_LEFT_OUT_MODULES)
    )


def _commit_other(repo: Repository, ref: str, release: str, folder: Path) -> None:
    overlay = folder / "overlay"
    shutil.rmtree(overlay, ignore_errors=True)
    (overlay / TEST).mkdir(parents=True)
    (overlay / TEST / "release").write_text(f"{release}\n")
    (overlay / TEST / "behaviour").write_text(f"{BEHAVIOURS[release]}\n")
    first = load_commit(repo, require_rev(repo, "os/1"))
    if release == OTHER_KERNEL:
        _write_other_kernel(repo, overlay)
    with Transaction(repo) as tx:
        tree = MutableTree.from_checksums(
            first.root_contents, first.root_metadata, lambda name: load_dirtree(repo, name)
        )
        modifier = CommitModifier()
        modifier.owner_uid = modifier.owner_gid = 0
        write_directory(tx, str(overlay), tree, modifier, jobs=1)
        metadata = VarDict((("version", Variant("s", release)),))
        checksum = write_commit(tx, write_tree(tx, tree), timestamp=TIME + 60, metadata=metadata)
        tx.set_ref(None, ref, checksum)
        tx.commit()
    shutil.rmtree(overlay)


def _write_other_kernel(repo: Repository, overlay: Path) -> None:
    """The same kernel with a few bytes behind it: another one for whoever looks at its checksum."""
    root = commit_root(repo, require_rev(repo, "os/1"))
    modules = resolve_path(repo, root, "/usr/lib/modules")
    folder = next(entry.path for entry in walk(repo, modules) if entry.path.count("/") == 4)
    kernel = resolve_path(repo, root, f"{folder}/vmlinuz")
    with load_file(repo, kernel.checksum) as file:
        data = b"".join(file.chunks())
    target = overlay / folder.lstrip("/") / "vmlinuz"
    target.parent.mkdir(parents=True)
    target.write_bytes(data + bytes(16))
