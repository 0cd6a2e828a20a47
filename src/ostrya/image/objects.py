# SPDX-License-Identifier: Apache-2.0
"""Objects of an archive as the files of a bare repository, but for what only root can give them.

They may be kept as plain files for the next time, in a directory on the same file system::

    STORE/ab/cdef….file     and .dirtree, .dirmeta, .commit
    STORE/inodes.json       how large each is, and what contents are to be like

From there they are linked. Nobody writes into an object, so that a link is as good as a copy.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file, write_all
from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.image.filesystem import Inode
from ostrya.progress import Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.reader import load_file, load_metadata
from ostrya.repo.traverse import reachable_objects
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ostrya.formats.xattrs import Xattrs
    from ostrya.repo.repository import Repository

# What goes to workers and comes back from them are plain values.
_Plain = tuple[str, int]
_Facts = tuple[int, int, "int | None", "Xattrs"]
# Of metadata, which are files like others, the facts say nothing.
_Found = tuple[str, int, _Facts]
_Index = dict[str, "tuple[int, _Facts]"]
_BATCH = 128
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_INDEX = "inodes.json"
_ANYTHING: _Facts = (0, 0, None, ())


def copy_objects(
    repo: Repository,
    commits: Sequence[Checksum],
    folder: str,
    progress: ProgressSink,
    *,
    store: str | None = None,
) -> dict[str, Inode]:
    """Write all objects of commits into a directory ``objects``.

    Args:
        repo: Where they are.
        commits: Which.
        folder: The directory.
        progress: Told about objects.
        store: Where they are kept as plain files; None for nowhere.

    Returns:
        What each content object is like, by its checksum.

    Raises:
        ObjectNotFound: The repository lacks one.
        OSError: One could not be written.
    """
    names = sorted(reachable_objects(repo, commits))
    for prefix in sorted({name.checksum[:2] for name in names}):
        os.mkdir(f"{folder}/{prefix}", 0o755)
    progress.send(Started("copying objects", len(names), Unit.ITEMS))
    contents: dict[str, Inode] = {}
    known = {} if store is None else _load_index(store)
    plain = []
    for name in names:
        facts = None if store is None else _link(name, folder, store, known)
        if facts is None:
            plain.append((str(name.checksum), int(name.type)))
        elif name.type is ObjectType.FILE:
            contents[name.checksum] = Inode(*facts)
    done = len(names) - len(plain)
    new: _Index = {}
    batches = (plain[at : at + _BATCH] for at in range(0, len(plain), _BATCH))
    for found in map_batches(_make_worker(repo, folder), batches):
        new.update((path, (size, facts)) for path, size, facts in found)
        done = min(len(names), done + _BATCH)
        progress.send(Advanced("copying objects", done))
    for checksum, kind in plain:
        if kind == ObjectType.FILE:
            contents[checksum] = Inode(*new[_path(checksum, kind)][1])
    if store is not None and new:
        _keep(new, folder, store, known)
    progress.send(Finished("copying objects", len(names)))
    return contents


def _path(checksum: str, kind: int) -> str:
    return loose_path(ObjectName(Checksum(checksum), ObjectType(kind)), archive=False)


# -- what is kept


def _link(name: ObjectName, folder: str, store: str, known: _Index) -> _Facts | None:
    """Link what is kept; None if it is not."""
    path = loose_path(name, archive=False)
    size, facts = known.get(path, (-1, _ANYTHING))
    if size < 0:
        return None
    place = f"{folder}/{path}"
    try:
        os.link(f"{store}/{path}", place, follow_symlinks=False)
        if os.lstat(place).st_size != size:
            # Of a machine that stopped before it was on the disk.
            os.unlink(place)
            os.unlink(f"{store}/{path}")
            return None
    except OSError:
        # Not there, or on another file system, or with too many names already.
        return None
    return facts


def _load_index(store: str) -> _Index:
    try:
        with open(f"{store}/{_INDEX}", "rb") as stream:
            found = json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}
    return {
        path: (size, (uid, gid, mode, tuple((bytes.fromhex(n), bytes.fromhex(v)) for n, v in x)))
        for path, (size, uid, gid, mode, x) in found.items()
    }


def _keep(new: _Index, folder: str, store: str, known: _Index) -> None:
    for path in new:
        os.makedirs(f"{store}/{path[:2]}", mode=0o700, exist_ok=True)
        with suppress(OSError):
            # There already, or on another file system.
            os.link(f"{folder}/{path}", f"{store}/{path}", follow_symlinks=False)
    index = {
        path: (size, uid, gid, mode, [(n.hex(), v.hex()) for n, v in xattrs])
        for path, (size, (uid, gid, mode, xattrs)) in (known | new).items()
    }
    fd = os.open(store, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        replace_file(_INDEX, json.dumps(index).encode(), dir_fd=fd, mode=0o600, durable=False)
    finally:
        os.close(fd)


# -- what is not


def _make_worker(
    repo: Repository, folder: str
) -> Callable[[], Callable[[list[_Plain]], list[_Found]]]:
    def make() -> Callable[[list[_Plain]], list[_Found]]:
        return lambda batch: [found for name in batch for found in _copy(repo, name, folder)]

    return make


def _copy(repo: Repository, plain: _Plain, folder: str) -> list[_Found]:
    name = ObjectName(Checksum(plain[0]), ObjectType(plain[1]))
    below = loose_path(name, archive=False)
    path = f"{folder}/{below}"
    if name.type is not ObjectType.FILE:
        size = _write(path, [load_metadata(repo, name)], 0o644)
        return [(below, size, _ANYTHING)]
    with load_file(repo, name.checksum) as file:
        header = file.header
        if header.is_symlink:
            os.symlink(header.symlink_target, path)
            os.utime(path, ns=(0, 0), follow_symlinks=False)
            size = os.lstat(path).st_size
            return [(below, size, (header.uid, header.gid, None, header.xattrs))]
        # Whoever builds has to be able to read it, whatever it is to be.
        size = _write(path, file.chunks(), stat.S_IMODE(header.mode) & 0o777 | 0o600)
    return [(below, size, (header.uid, header.gid, header.mode, header.xattrs))]


def _write(path: str, chunks: Iterable[bytes], mode: int) -> int:
    fd = os.open(path, _CREATE, 0o600)
    try:
        size = 0
        for chunk in chunks:
            write_all(fd, chunk)
            size += len(chunk)
        os.fchmod(fd, mode)
        os.utime(fd, ns=(0, 0))
    finally:
        os.close(fd)
    return size
