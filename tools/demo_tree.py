# SPDX-License-Identifier: Apache-2.0
"""The trees of the demo: a bounded copy of this machine's system, and a plausible next release."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

BUDGET_BYTES = 300 * 1000 * 1000
LARGEST_FILE_BYTES = 30 * 1000 * 1000
# In this order, until the budget is spent; the share keeps one folder from taking all of it.
SOURCES = (("etc", 0.05), ("usr/bin", 0.45), ("usr/sbin", 0.1), ("usr/lib", 1.0))
EVERYBODY_READS = stat.S_IROTH


class Gathered(NamedTuple):
    """What was copied."""

    files: int
    size: int


class Edited(NamedTuple):
    """What was edited."""

    changed: int
    added: int
    removed: int


def entries_below(top: Path) -> Iterator[os.DirEntry[str]]:
    """Files and symbolic links below a directory, in the order of their names."""
    try:
        found = sorted(os.scandir(top), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from entries_below(Path(entry.path))
        else:
            yield entry


def wanted(entry: os.DirEntry[str]) -> int | None:
    """The size of a file that the demo may take, None of one it leaves.

    Only what everybody may read: a demo run as root has no business with secrets.
    """
    try:
        entry.name.encode()
        info = entry.stat(follow_symlinks=False)
    except (OSError, UnicodeEncodeError):
        return None
    if stat.S_ISLNK(info.st_mode):
        return 0
    readable = stat.S_ISREG(info.st_mode) and info.st_mode & EVERYBODY_READS
    return info.st_size if readable and info.st_size <= LARGEST_FILE_BYTES else None


def gather(target: Path, report: Callable[[int], object]) -> Gathered:
    """Copy parts of this machine's system below ``target``, within the budget."""
    files = size = 0
    for source, share in SOURCES:
        top = Path("/") / source
        if top.is_symlink() or not top.is_dir():
            continue
        limit = size + int((BUDGET_BYTES - size) * share)
        for entry in entries_below(top):
            length = wanted(entry)
            if length is None or size + length > limit:
                continue
            copy = target / entry.path.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy(entry.path, copy, follow_symlinks=False)
            except OSError:
                continue
            files, size = files + 1, size + length
            report(size)
    return Gathered(files, size)


def lot(path: str) -> int:
    """A number under 1000 drawn from a path: the same on every run."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % 1000


def rewrite(path: Path) -> None:
    """Change a file as a rebuild would: a few bytes in the middle, a few more at the end."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 16] = b"release 2.0 here"
    mode = stat.S_IMODE(path.stat().st_mode)
    path.unlink()
    path.write_bytes(bytes(content) + b"\n")
    path.chmod(mode)


def edit(tree: Path) -> Edited:
    """Turn a writable copy of release 1 into release 2."""
    changed = removed = 0
    for entry in list(entries_below(tree)):
        path = Path(entry.path)
        if path.is_symlink() or entry.stat().st_size == 0:
            continue
        draw = lot(str(path.relative_to(tree)))
        if draw < 25:
            rewrite(path)
            changed += 1
        elif draw < 33:
            path.unlink()
            removed += 1
    added = add_program(tree / "usr" / "lib" / "new-in-2.0")
    return Edited(changed, added, removed)


def add_program(folder: Path) -> int:
    """A small program of several files, as a new package brings them."""
    folder.mkdir(parents=True)
    for number in range(24):
        text = "".join(f"line {line} of part {number}\n" for line in range(500))
        (folder / f"part-{number:02}.txt").write_text(text)
    program = folder / "run"
    program.write_text('#!/bin/sh\nexec cat "$(dirname "$0")"/part-*.txt\n')
    program.chmod(0o755)
    (folder / "current").symlink_to("run")
    return 26
