# SPDX-License-Identifier: Apache-2.0
"""SELinux labels for directories that are there: ``/var``, or what an installer has written."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from errno import ENODATA
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import list_names, open_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.tree.selinux import SelinuxPolicy

LABEL = "security.selinux"


def label_tree(
    fd: int,
    path: str,
    policy: SelinuxPolicy,
    *,
    keep: bool = False,
    on_label: Callable[[str, str], None] = lambda _path, _label: None,
) -> None:
    """Label a directory and all that is in it; nothing is followed.

    Args:
        fd: The directory.
        path: Where it is in the running system; empty for its root.
        policy: Says which label belongs where; what it gives none stays as it is.
        keep: Whether what has a label keeps it.
        on_label: Told each path and its new label.

    Raises:
        OSError: A label cannot be set.
    """

    def label(place: str, path: str, mode: int) -> None:
        follow = stat.S_ISDIR(mode)
        found = policy.label_for(path, mode)
        if found is None or (keep and _has_label(place, follow=follow)):
            return
        os.setxattr(place, LABEL, found.encode() + b"\0", follow_symlinks=follow)
        on_label(path, found)

    def visit(fd: int, path: str) -> None:
        label(f"/proc/self/fd/{fd}", path or "/", os.fstat(fd).st_mode)
        for name in sorted(list_names(fd)):
            mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
            if not stat.S_ISDIR(mode):
                label(f"/proc/self/fd/{fd}/{name}", f"{path}/{name}", mode)
                continue
            with ExitStack() as stack:
                child_fd = open_dir(name, dir_fd=fd)
                stack.callback(os.close, child_fd)
                visit(child_fd, f"{path}/{name}")

    visit(fd, path)


def _has_label(place: str, *, follow: bool) -> bool:
    try:
        os.getxattr(place, LABEL, follow_symlinks=follow)
    except OSError as exc:
        if exc.errno == ENODATA:
            return False
        raise
    return True
