# SPDX-License-Identifier: Apache-2.0
"""File trees to commit, and a way to say that two of them are the same."""

from __future__ import annotations

import hashlib
import os
import random
import stat
from pathlib import Path
from typing import NamedTuple

LONG_NAME = "n" * 255
CAP_NET_RAW = bytes.fromhex("0100000200200000000000000000000000000000")


def write(path: Path, content: bytes = b"", mode: int = 0o644) -> Path:
    """A regular file with its parents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def seeded_bytes(size: int, seed: int) -> bytes:
    """Bytes that do not deflate, the same on every run."""
    return random.Random(seed).randbytes(size)


def plain_tree(top: Path) -> Path:
    """What every repository mode can hold: no setuid bits, no owners, no xattrs."""
    write(top / "usr/bin/hello", b"#!/bin/sh\necho hello\n", 0o755)
    write(top / "usr/bin/copy-of-hello", b"#!/bin/sh\necho hello\n", 0o755)
    write(top / "usr/lib/libx.so.1.0", seeded_bytes(200_000, 1))
    (top / "usr/lib/libx.so.1").symlink_to("libx.so.1.0")
    (top / "usr/lib/libx.so").symlink_to("libx.so.1")
    (top / "lib").symlink_to("usr/lib")
    (top / "dangling").symlink_to("/nowhere/at all")
    (top / "loop").symlink_to("loop")
    (top / "far").symlink_to("x/" * 450 + "end")
    write(top / "etc/empty")
    write(top / "etc/also-empty")
    write(top / "etc/conf.d/10-a.conf", b"[a]\nkey=value\n" * 200)
    write(top / "etc/conf.d/10-a.conf~", b"[a]\n")
    for name in (
        " leading space", "trailing space ", "-dash", "--option=x", "new\nline", "tab\there", "back\\slash",
        "quote'\"", "ünïcødé", "日本語", "emoji 🐧", "a" + "\u0301", "..x", "...", "percent%s", "*", "$(x)",
        LONG_NAME,
    ):  # fmt: skip
        write(top / "odd" / name, f"named {name}\n".encode())
    for name in ("a", "a.b", "a-b", "a0", "A", "Z", "_", "é"):
        write(top / "order" / name / "f", name.encode())
    deep = top / "deep"
    for level in range(30):
        deep = deep / f"l{level}"
    write(deep / "bottom", b"here\n")
    (top / "hollow/within").mkdir(parents=True)
    write(top / "big/zeros", bytes(3 * 1024 * 1024))
    write(top / "big/noise", seeded_bytes(2 * 1024 * 1024 + 17, 2))
    write(top / "big/text", b"the same line over and over\n" * 100_000)
    write(top / "usr/share/first", b"shared content\n")
    os.link(top / "usr/share/first", top / "usr/share/second")
    os.link(top / "usr/share/first", top / "etc/third")
    return top


def full_tree(top: Path) -> Path:
    """What a root file system holds besides: owners (as root), odd modes, xattrs, capabilities."""
    plain_tree(top)
    write(top / "usr/bin/su", b"set uid\n", 0o4755)
    write(top / "usr/bin/wall", b"set gid\n", 0o2755)
    write(top / "etc/shadow", b"root:*\n", 0o640)
    write(top / "etc/secret", b"secret\n", 0o600)
    write(top / "etc/nothing-allowed", b"closed\n", 0o400)
    write(top / "usr/bin/same-content-other-mode", b"#!/bin/sh\necho hello\n", 0o700)
    for name, mode in (("tmp", 0o1777), ("group", 0o2775), ("root", 0o700)):
        (top / "var" / name).mkdir(parents=True)
        (top / "var" / name).chmod(mode)
    write(top / "xattr/one", b"one\n")
    os.setxattr(top / "xattr/one", "user.zeta", b"last")
    os.setxattr(top / "xattr/one", "user.alpha", b"first\x00with nul")
    os.setxattr(top / "xattr/one", "user.empty", b"")
    write(top / "xattr/dir/inside", b"in\n")
    os.setxattr(top / "xattr/dir", "user.on.directory", b"\xff\xfe\x00")
    if os.geteuid() == 0:
        write(top / "usr/bin/ping", b"ping\n", 0o755)
        os.setxattr(top / "usr/bin/ping", "security.capability", CAP_NET_RAW)
        os.chown(top / "etc/shadow", 0, 42)
        os.chown(top / "var/group", 1000, 2000)
        os.chown(top / "usr/lib/libx.so", 33, 33, follow_symlinks=False)
        os.chown(top / "etc/secret", 4_000_000_000, 3_999_999_999)
    return top


def second_release(top: Path) -> None:
    """Change a tree in place as a new release would: some changed, some added, some removed."""
    write(top / "usr/bin/hello", b"#!/bin/sh\necho hello again\n", 0o755)
    write(top / "usr/lib/liby.so.2", seeded_bytes(50_000, 3))
    (top / "usr/lib/liby.so").symlink_to("liby.so.2")
    (top / "usr/bin/copy-of-hello").unlink()
    (top / "dangling").unlink()
    (top / "dangling").mkdir()
    write(top / "dangling/now-a-directory", b"x")
    (top / "etc/empty").chmod(0o600)


class Node(NamedTuple):
    """One entry of a tree, as far as it can be compared."""

    kind: str
    mode: int
    owner: tuple[int, int]
    content: str
    xattrs: tuple[tuple[str, bytes], ...]
    mtime: int | None
    linked_with: str


def _content(path: str, info: os.stat_result) -> tuple[str, str]:
    if stat.S_ISDIR(info.st_mode):
        return "directory", ""
    if stat.S_ISLNK(info.st_mode):
        return "symlink", os.readlink(path)
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as stream:
            return "file", hashlib.file_digest(stream, "sha256").hexdigest()
    return f"special {stat.S_IFMT(info.st_mode):o} {info.st_rdev}", ""


def _xattrs(path: str) -> tuple[tuple[str, bytes], ...]:
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in names)


def snapshot(top: Path, *, mtimes: bool = False) -> dict[str, Node]:
    """Every entry below a directory, itself included.

    ``linked_with`` names the first entry, in sorted order, of the same inode, so two trees have
    equal snapshots only if their hard links run between the same names.
    """
    found: dict[str, Node] = {}
    first_names: dict[tuple[int, int], str] = {}
    paths = [os.fspath(top)]
    for folder, dirs, files in os.walk(top):
        paths += [os.path.join(folder, name) for name in (*dirs, *files)]
    for path in sorted(paths):
        relative = os.path.relpath(path, top)
        info = os.lstat(path)
        kind, content = _content(path, info)
        first = first_names.setdefault((info.st_dev, info.st_ino), relative)
        # A time that was set is 0 or 1 in OSTree; any other is when the file was written.
        mtime = min(int(info.st_mtime), 2) if mtimes and kind == "file" else None
        mode = stat.S_IMODE(info.st_mode)
        owner = (info.st_uid, info.st_gid)
        found[relative] = Node(kind, mode, owner, content, _xattrs(path), mtime, first)
    return found


def differences(left: dict[str, Node], right: dict[str, Node]) -> list[str]:
    """What is not the same, one line each; empty for equal trees."""
    lines = [f"only left: {name!r}" for name in sorted(set(left) - set(right))]
    lines += [f"only right: {name!r}" for name in sorted(set(right) - set(left))]
    for name in sorted(set(left) & set(right)):
        if left[name] != right[name]:
            fields = [
                f"{field} {a!r} != {b!r}"
                for field, a, b in zip(Node._fields, left[name], right[name], strict=True)
                if a != b
            ]
            lines.append(f"{name!r}: {'; '.join(fields)}")
    return lines


def assert_same_tree(left: Path, right: Path, *, mtimes: bool = False) -> None:
    """Demand equality in content, mode, owner, xattrs and hard links."""
    found = differences(snapshot(left, mtimes=mtimes), snapshot(right, mtimes=mtimes))
    assert not found, f"{len(found)} differences between {left} and {right}:\n" + "\n".join(
        found[:20]
    )


def links_into(top: Path, repo: Path) -> dict[str, str]:
    """Which object each file below a directory is a hard link to; files of their own are left out.

    A copy has equal content, mode and owner, so :func:`snapshot` cannot tell it from a link.
    """
    objects = {path.lstat().st_ino: path.name for path in repo.glob("objects/??/*.file")}
    inodes = ((os.path.relpath(path, top), path.lstat().st_ino) for path in top.rglob("*"))
    return {name: objects[inode] for name, inode in inodes if inode in objects}
