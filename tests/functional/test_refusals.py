# SPDX-License-Identifier: Apache-2.0
"""What the system refuses is told in one sentence, by a path that the user knows.

A full disk, one that is read-only, permissions: made for real, and injected at single system calls
where they cannot be made to happen. The sentence names the destination of a checkout, a file of the
tree that is committed, or an object of the repository: never nothing, nor a name that is gone when
the command is.
"""

from __future__ import annotations

import contextlib
import errno as os_errno
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import crashes, mounts, trees
from support.commands import OURS, clean_environment

pytestmark = [pytest.mark.timeout(600)]

DISK_BYTES = 4 * 1024 * 1024
TEMPORARY = re.compile(
    r"/proc/|staging-|checkout-union|(symlink|tmp|alias)\.[0-9a-f]{8}|\.[0-9a-f]{16}\.tmp"
)
# By command: the words after --repo. @ stands for the folder.
SCENES = {
    "commit": ["@/empty", "commit", "-b", "new", "--tree=dir=@/tree"],
    "commit the same": ["@/repo", "commit", "-b", "main", "--tree=dir=@/tree"],
    "commit a tar archive": ["@/empty", "commit", "-b", "new", "--tree=tar=@/tar"],
    "commit a ref": ["@/repo", "commit", "-b", "new", "--owner-uid=42", "--tree=ref=main"],
    "commit and consume": ["@/empty", "commit", "-b", "new", "--consume", "--tree=dir=@/tree"],
    "commit a checkout": ["@/repo", "commit", "-b", "new", "-I", "--tree=dir=@/checkout"],
    "checkout": ["@/repo", "checkout", "main", "@/out"],
    "checkout as a user": ["@/repo", "checkout", "-U", "main", "@/out"],
    "checkout copies": ["@/repo", "checkout", "-C", "main", "@/out"],
    "checkout over": ["@/repo", "checkout", "--union", "main", "@/there"],
    "checkout a file": ["@/repo", "checkout", "-U", "--subpath=/etc/conf", "main", "@/out"],
    "checkout a list": ["@/repo", "checkout", "-U", "--from-file=@/list", "@/out"],
    "pull-local": ["@/empty", "pull-local", "@/repo", "main"],
    "pull-local untrusted": ["@/empty", "pull-local", "--untrusted", "@/repo", "main"],
    "pull-local converts": ["@/empty", "pull-local", "@/other", "main"],
    "refs create": ["@/repo", "refs", "main", "--create=a/b"],
    "refs delete": ["@/repo", "refs", "--delete", "main"],
    "refs alias": ["@/repo", "refs", "-A", "main", "--create=alias"],
    "prune": ["@/repo", "prune", "--refs-only", "--depth=0"],
    "summary": ["@/repo", "summary", "-u"],
    "export": ["@/repo", "export", "main", "-o", "@/out.tar"],
    "config set": ["@/repo", "config", "set", "core.comment", "x"],
    "init": ["@/new", "init", "--mode=archive"],
    "reset": ["@/repo", "reset", "main", "main^"],
    "fsck": ["@/repo", "fsck"],
}
# Links and short symbolic links take no blocks.
ROOMLESS = {"refs alias", *(name for name in SCENES if name.startswith("checkout"))}
# What can go wrong at a system call.
ERRORS = {
    "openat": "EACCES", "openat2": "EACCES", "write": "ENOSPC", "writev": "ENOSPC",
    "mkdir": "ENOSPC", "mkdirat": "ENOSPC", "linkat": "ENOSPC", "symlinkat": "ENOSPC",
    "renameat": "ENOSPC", "renameat2": "ENOSPC", "fsetxattr": "ENOSPC", "lsetxattr": "ENOSPC",
    "fchmod": "EPERM", "fchown": "EPERM", "fchownat": "EPERM", "utimensat": "EPERM",
    "fsync": "EIO", "syncfs": "EIO", "read": "EIO", "readv": "EIO", "pread64": "EIO",
    "getdents64": "EIO", "readlinkat": "EIO", "copy_file_range": "ENOSPC", "unlinkat": "EROFS",
}  # fmt: skip
PER_CALL = 1


def command(name: str, folder: Path) -> list[str]:
    repo, *words = (word.replace("@", str(folder)) for word in SCENES[name])
    return OURS.argv(f"--repo={repo}", *words)


def prepare(folder: Path, mode: str) -> Path:
    """Repositories with and without commits, and all that the commands take."""
    tree = folder / "tree"
    trees.write(tree / "usr/bin/tool", b"#!/bin/sh\n" * 300, 0o755)
    trees.write(tree / "usr/share/text", trees.seeded_bytes(60_000, 3))
    trees.write(tree / "etc/conf", b"a=b\n")
    (tree / "link").symlink_to("usr/bin/tool")
    if os.geteuid() == 0:
        # Such a link gets its owner before it gets its name.
        os.chown(tree / "link", 1000, 1000, follow_symlinks=False)
    other = "archive" if mode != "archive" else "bare-user"
    for name, kind in (("repo", mode), ("empty", mode), ("other", other)):
        OURS("init", f"--repo={folder / name}", f"--mode={kind}")
        OURS(f"--repo={folder / name}", "config", "set", "core.min-free-space-percent", "0")
    repo = f"--repo={folder / 'repo'}"
    OURS(repo, "commit", "-b", "main", f"--tree=dir={tree / 'usr'}")
    OURS(repo, "commit", "-b", "main", f"--tree=dir={tree}")
    OURS(f"--repo={folder / 'other'}", "pull-local", folder / "repo", "main")
    OURS(repo, "checkout", "-U", "main", folder / "checkout")
    shutil.copytree(tree, folder / "there", symlinks=True)
    (folder / "there/etc/conf").write_text("another\n")
    (folder / "list").write_bytes(b"main\0/usr\0")
    subprocess.run(["tar", "-C", tree, "-cf", folder / "tar", "."], check=True)
    return folder


def restore(base: Path, folder: Path) -> None:
    """The state that ``prepare`` made."""
    for path in list(folder.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    subprocess.run(["cp", "-a", f"{base}/.", str(folder)], check=True)


def assert_told(stderr: str, folder: Path) -> None:
    """One sentence, and the path in it is complete."""
    first, *rest = stderr.rstrip("\n").split("\n")
    assert first.startswith("error: "), stderr
    assert all(line.startswith("hint: ") for line in rest), stderr
    # fsck names the object alone: that is what it is about.
    assert f"{folder}/" in first or re.search("fsck .*[0-9a-f]{64}", first), stderr
    assert not TEMPORARY.search(first), stderr


@pytest.fixture(scope="module")
def bases(tmp_path_factory) -> Callable[[str], Path]:
    """What ``prepare`` makes, once for every mode; not to be changed."""
    made: dict[str, Path] = {}

    def of(mode: str) -> Path:
        if mode not in made:
            made[mode] = prepare(tmp_path_factory.mktemp(mode), mode)
        return made[mode]

    return of


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A small file system, empty."""
    try:
        yield mounts.mount("tmpfs", tmp_path / "disk", size=DISK_BYTES)
    finally:
        mounts.unmount(tmp_path / "disk")


def fill(disk: Path, left: int) -> None:
    """Leave so many blocks."""
    block = os.statvfs(disk).f_frsize
    size = max(0, os.statvfs(disk).f_bfree - left) * block
    with (disk / "filler").open("wb") as stream, contextlib.suppress(OSError):
        os.posix_fallocate(stream.fileno(), 0, max(1, size))


@pytest.mark.root
@pytest.mark.loop
@pytest.mark.parametrize("mode", ["archive", "bare"])
@pytest.mark.parametrize("name", [n for n in SCENES if n not in {"fsck", "prune", "refs delete"}])
def test_a_full_disk(bases, disk, mode, name):
    base = bases(mode)
    refused = 0
    for left in (0, 3, 11):
        restore(base, disk)
        fill(disk, left)
        done = subprocess.run(
            command(name, disk), capture_output=True, text=True, check=False, env=clean_environment()
        )  # fmt: skip
        if done.returncode != 0:
            refused += 1
            assert "No space left on device" in done.stderr
            assert_told(done.stderr, disk)
            OURS(f"--repo={disk / 'repo'}", "fsck")
    assert refused or name in ROOMLESS


@pytest.mark.root
@pytest.mark.loop
@pytest.mark.parametrize("name", [n for n in SCENES if n != "fsck"])
def test_a_read_only_disk(bases, disk, name):
    restore(bases("bare-user"), disk)
    mounts.run("mount", "-o", "remount,ro", str(disk))
    done = subprocess.run(
        command(name, disk), capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode != 0
    assert "ead-only file system" in done.stderr
    assert_told(done.stderr, disk)


@pytest.mark.root
@pytest.mark.parametrize("name", [n for n in SCENES if n != "fsck"])
def test_no_permission_to_write(bases, tmp_path, name):
    folder = tmp_path / "all"
    folder.mkdir()
    restore(bases("bare-user"), folder)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o555)
    argv = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command(name, folder)]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode != 0
    assert "ermission denied" in done.stderr
    assert_told(done.stderr, folder)


def find_points(argv: list[str], log: Path, folder: Path) -> list[crashes.Point]:
    """The first few calls of each system call that have to do with anything below a folder."""
    trace = ",".join(f"?{call}" for call in ERRORS)
    subprocess.run(
        ["strace", "-f", "-y", "-qq", "-e", f"trace={trace}", "-e", "signal=none", "-o", log, *argv],
        check=True, stdin=subprocess.DEVNULL, capture_output=True,
        env=clean_environment() | {"PYTHONHASHSEED": "0"},
    )  # fmt: skip
    counts: Counter[str] = Counter()
    kinds: dict[str, set[str]] = {}
    found = []
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if match is None:
            continue
        call, rest = match.groups()
        counts[call] += 1
        if str(folder) not in rest or " = -1 " in rest:
            continue
        # Where it happens: of objects and temporary files not which one.
        place = re.sub(r"[0-9a-f]{62}|staging-[\w-]+|#\d+|\d+|\b[0-9a-f]{2}\b", "", rest[:200])
        seen = kinds.setdefault(call, set())
        if place not in seen and len(seen) < PER_CALL:
            found.append(crashes.Point(call, counts[call]))
        seen.add(place)
    return found


@pytest.mark.root
@pytest.mark.crash
@pytest.mark.parametrize("mode", ["archive", "bare"])
@pytest.mark.parametrize("name", SCENES)
def test_any_system_call(bases, tmp_path, mode, name):
    base = bases(mode)
    folder = tmp_path / "all"
    folder.mkdir()
    restore(base, folder)
    points = find_points(command(name, folder), tmp_path / "log", folder)
    assert points
    for point in points:
        restore(base, folder)
        error = ERRORS[point.call]
        done = crashes.run_and_fail(command(name, folder), tmp_path / "log", point, error)
        if done.returncode != 0:
            assert os.strerror(getattr(os_errno, error)) in done.stderr, (point, done.stderr)
            assert_told(done.stderr, folder)
