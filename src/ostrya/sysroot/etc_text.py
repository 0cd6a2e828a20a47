# SPDX-License-Identifier: Apache-2.0
"""The lines by which files of ``/etc`` and their defaults differ.

::

    kept       the new default against what is here: what the new default would have brought
    updated    the old default against the new one: what it brings
"""

from __future__ import annotations

import os
import stat
from difflib import unified_diff
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import FileTooLargeError, open_dir, open_dir_below, read_file
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import load_file
from ostrya.sysroot.etc_ahead import EtcDefaults, EtcStep
from ostrya.tree.lookup import Directory

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot

_MAX_BYTES = 1 << 20


def diff_steps(
    sysroot: Sysroot, merge: Deployment, checksum: Checksum, steps: list[EtcStep]
) -> dict[str, str]:
    """Return the difference of each file that has one, by path.

    Args:
        sysroot: Where.
        merge: The deployment whose ``/etc`` is taken along.
        checksum: The commit of the deployment to come.
        steps: What the merge will do.
    """
    old = EtcDefaults(sysroot.repo, merge.checksum)
    new = EtcDefaults(sysroot.repo, checksum)
    etc_fd = open_dir(f"{merge.path}/etc", dir_fd=sysroot.dir_fd, follow=True)
    found = {}
    try:
        for step in steps:
            if step.outcome == "kept":
                sides = _default(sysroot.repo, new, step.path), _mine(etc_fd, step.path)
            elif step.outcome == "updated":
                sides = (
                    _default(sysroot.repo, old, step.path),
                    _default(sysroot.repo, new, step.path),
                )
            else:
                continue
            text = _compare(step, *sides)
            if text:
                found[step.path] = text
    finally:
        os.close(etc_fd)
    return found


def _compare(step: EtcStep, before: bytes | None, after: bytes | None) -> str:
    if before is None or after is None or before == after:
        return ""
    kept = step.outcome == "kept"
    names = (
        f"{step.path} (new default)" if kept else f"{step.path} (old default)",
        f"{step.path} (kept)" if kept else f"{step.path} (new default)",
    )
    try:
        old, new = before.decode().splitlines(), after.decode().splitlines()
    except UnicodeDecodeError:
        return f"{names[0]} and {names[1]} differ, and are no text\n"
    return "".join(f"{line}\n" for line in unified_diff(old, new, *names, lineterm=""))


def _default(repo: Repository, defaults: EtcDefaults, path: str) -> bytes | None:
    """Return the content of a default; None for what is no file, too large, or not here."""
    entry = defaults.entry(path)
    if entry is None or isinstance(entry, Directory):
        return None
    try:
        with load_file(repo, entry.checksum) as file:
            is_text = not file.header.is_symlink and file.size <= _MAX_BYTES
            return bytes(file.read()) if is_text else None
    except ObjectNotFound:
        return None


def _mine(etc_fd: int, path: str) -> bytes | None:
    """Return the content of a file here; None for what is none, or too large."""
    parent, _, name = path.rpartition("/")
    fd = open_dir_below(etc_fd, parent)
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            return None
        return read_file(name, dir_fd=fd, max_bytes=_MAX_BYTES)
    except (FileNotFoundError, FileTooLargeError):
        return None
    finally:
        os.close(fd)
