# SPDX-License-Identifier: Apache-2.0
"""Directories and single files of the machine that builds, laid over a tree.

Who owns them here and with which umask they were made does not count: a file is 0755 if its owner
may run it, else 0644, and everything is root's, unless the recipe says otherwise.
"""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ostrya.formats.file_header import FileHeader
from ostrya.image.customize.places import Owner
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.image.customize.accounts import Accounts
    from ostrya.image.customize.places import Places
    from ostrya.image.recipe.values import FileWish, Overlay

_CHUNK_BYTES = 1 << 20


def lay_over(
    places: Places, overlay: Overlay, accounts: Accounts, tell: Callable[[str], None]
) -> None:
    """Lay a directory or a file over the tree.

    Raises:
        SourceError: Something in it cannot be part of a tree.
        OSError: It cannot be read.
    """
    count = 0
    for path, below in _walk(overlay.path):
        found = os.lstat(path)
        target = _joined(overlay.target, below)
        owner = _owner(overlay, below, found, accounts)
        if stat.S_ISDIR(found.st_mode):
            # Those of the tree that are there already stay as they are.
            ruled = any(_matches(below, rule.match) for rule in overlay.rules)
            if ruled or not places.is_dir(target):
                places.make_dir(target, owner)
            continue
        count += 1
        _put(places, path, found, target, owner)
    tell(f"laid {count} files of {os.path.basename(overlay.path)} over {overlay.target}")


def put_file(
    places: Places, file: FileWish, accounts: Accounts, tell: Callable[[str], None]
) -> None:
    """Put in a single file, link or directory.

    Raises:
        SourceError: It cannot be part of a tree.
        OSError: It cannot be read.
    """
    uid, gid = _uid(file.owner, accounts, file.where), _gid(file.group, accounts, file.where)
    owner = Owner(uid, gid, file.mode)
    if file.directory:
        places.make_dir(file.path, owner._replace(mode=0o755 if file.mode is None else file.mode))
    elif file.link:
        places.link(file.path, file.link, owner)
    elif file.source:
        found = os.stat(file.source)
        mode = file.mode if file.mode is not None else _usual(found)
        _put(places, file.source, found, file.path, owner._replace(mode=mode))
    else:
        mode = 0o644 if file.mode is None else file.mode
        places.write(file.path, file.text or "", owner._replace(mode=mode))
    tell(f"put in {file.path}")


def _walk(top: str) -> Iterator[tuple[str, str]]:
    """Yield what is in a directory, each with its path below it; of a file, itself."""
    if not os.path.isdir(top):
        yield top, ""
        return
    for folder, names, files in os.walk(top):
        names.sort()
        below = os.path.relpath(folder, top)
        for name in sorted([*names, *files]):
            yield os.path.join(folder, name), name if below == "." else f"{below}/{name}"


def _joined(target: str, below: str) -> str:
    return f"{target.rstrip('/')}/{below}" if below else target


def _put(places: Places, path: str, found: os.stat_result, target: str, owner: Owner) -> None:
    writer = places.editor.tx.writer
    if stat.S_ISLNK(found.st_mode):
        places.link(target, os.readlink(path), owner)
        return
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"{path} is neither a file nor a link nor a directory")
    mode = _usual(found) if owner.mode is None else owner.mode
    header = FileHeader(owner.uid, owner.gid, stat.S_IFREG | mode)
    if places.is_dir(target):
        target = f"{target.rstrip('/')}/{os.path.basename(path)}"
    with open(path, "rb") as stream:
        chunks = iter(lambda: stream.read(_CHUNK_BYTES), b"")
        places.put(target, writer.write_stream(header, found.st_size, chunks))


def _usual(found: os.stat_result) -> int:
    if stat.S_ISDIR(found.st_mode):
        return 0o755
    return 0o755 if found.st_mode & 0o100 else 0o644


def _owner(overlay: Overlay, below: str, found: os.stat_result, accounts: Accounts) -> Owner:
    owner, group, mode = overlay.owner, overlay.group, _usual(found)
    for rule in overlay.rules:
        if _matches(below, rule.match):
            owner, group = rule.owner or owner, rule.group or group
            ruled = rule.dir_mode if stat.S_ISDIR(found.st_mode) else rule.mode
            mode = mode if ruled is None else ruled
    where = overlay.where
    return Owner(_uid(owner, accounts, where), _gid(group, accounts, where), mode)


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern)


def _uid(owner: str, accounts: Accounts, where: object) -> int:
    return int(owner) if owner.isdigit() else _found(accounts.uid_of(owner), "user", owner, where)


def _gid(group: str, accounts: Accounts, where: object) -> int:
    return int(group) if group.isdigit() else _found(accounts.gid_of(group), "group", group, where)


def _found(number: int | None, what: str, name: str, where: object) -> int:
    if number is None:
        raise SourceError(f"{where}: the tree has no {what} {name}")
    return number
