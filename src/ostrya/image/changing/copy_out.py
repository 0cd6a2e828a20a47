# SPDX-License-Identifier: Apache-2.0
"""Copying files out of an image.

Files appear when they are whole. Owners are those of whoever copies; modes are kept but for setuid
and its like. Links are made as they are, and never followed on this machine.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.image.outputs.sinks import NewFile, is_zero
from ostrya.image.reading.files import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.files import Place, View


def copy_out(view: View, path: str, target: str, *, recursive: bool = False) -> list[str]:
    """Copy something out of an image.

    Args:
        view: The files.
        path: Which one; a link at its end is followed.
        target: Where to: a name, or a directory that is there.
        recursive: Whether it may be a directory.

    Returns:
        Paths of what was left out: device nodes, sockets, pipes.

    Raises:
        DiskError: It is not there, is a directory, or is damaged.
        OSError: It cannot be written.
    """
    place = view.find(path)
    name = path.rstrip("/").rpartition("/")[2]
    if os.path.isdir(target) and name not in ("", "..", "."):
        target = os.path.join(target, name)
    if place.entry.is_dir and not recursive:
        raise DiskError(f"{path} is a directory", hint="--recursive copies all that is in it")
    return list(_copy(view, place, target))


def _copy(view: View, place: Place, target: str) -> Iterator[str]:
    stack = [(place, target)]
    while stack:
        place, target = stack.pop()
        one = place.entry
        if one.is_dir:
            _make_dir(target, one.mode)
            below = [(child, f"{target}/{_name(child)}") for child in view.entries(place)]
            stack += reversed(below)
        elif one.kind is FileKind.FILE:
            _copy_file(place, target)
        elif one.kind is FileKind.LINK:
            _make_link(place.files.target(one), target)
        else:
            yield place.path


def _name(place: Place) -> str:
    return place.path.rpartition("/")[2]


def _make_dir(target: str, mode: int) -> None:
    try:
        # Whoever copies has to be able to write in it.
        os.mkdir(target, mode & 0o777 | 0o700)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(target).st_mode):
            raise DiskError(f"{target} is there, and is no directory") from None


def _make_link(leads_to: str, target: str) -> None:
    try:
        os.symlink(leads_to, target)
    except FileExistsError:
        raise DiskError(f"{target} is there already: a link does not replace it") from None


def _copy_file(place: Place, target: str) -> None:
    if os.path.isdir(target):
        raise DiskError(f"{target} is a directory, and {place.path} is a file")
    with NewFile(target) as file:
        for chunk in place.files.chunks(place.entry):
            if is_zero(chunk):
                file.skip(len(chunk))
            else:
                file.write(chunk)
        file.finish()
        file.appear()
    os.chmod(target, place.entry.mode & 0o777)
    os.utime(target, (place.entry.mtime, place.entry.mtime))
