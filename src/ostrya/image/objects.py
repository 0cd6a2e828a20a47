# SPDX-License-Identifier: Apache-2.0
"""Objects of an archive as the files of a bare repository, but for what only root can give them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.atomic import write_all
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
_Found = tuple[str, "tuple[int, int, int | None, Xattrs]"]
_BATCH = 128
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW


def copy_objects(
    repo: Repository, commits: Sequence[Checksum], folder: str, progress: ProgressSink
) -> dict[str, Inode]:
    """Write all objects of commits into a directory ``objects``.

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
    plain = [(str(name.checksum), int(name.type)) for name in names]
    batches = (plain[at : at + _BATCH] for at in range(0, len(plain), _BATCH))
    done = 0
    for found in map_batches(_make_worker(repo, folder), batches):
        contents.update((checksum, Inode(*facts)) for checksum, facts in found)
        done = min(len(names), done + _BATCH)
        progress.send(Advanced("copying objects", done))
    progress.send(Finished("copying objects", len(names)))
    return contents


def _make_worker(
    repo: Repository, folder: str
) -> Callable[[], Callable[[list[_Plain]], list[_Found]]]:
    def make() -> Callable[[list[_Plain]], list[_Found]]:
        return lambda batch: [found for name in batch for found in _copy(repo, name, folder)]

    return make


def _copy(repo: Repository, plain: _Plain, folder: str) -> list[_Found]:
    name = ObjectName(Checksum(plain[0]), ObjectType(plain[1]))
    path = f"{folder}/{loose_path(name, archive=False)}"
    if name.type is not ObjectType.FILE:
        _write(path, [load_metadata(repo, name)], 0o644)
        return []
    with load_file(repo, name.checksum) as file:
        header = file.header
        if header.is_symlink:
            os.symlink(header.symlink_target, path)
            os.utime(path, ns=(0, 0), follow_symlinks=False)
            return [(plain[0], (header.uid, header.gid, None, header.xattrs))]
        # Whoever builds has to be able to read it, whatever it is to be.
        _write(path, file.chunks(), stat.S_IMODE(header.mode) & 0o777 | 0o600)
    return [(plain[0], (header.uid, header.gid, header.mode, header.xattrs))]


def _write(path: str, chunks: Iterable[bytes], mode: int) -> None:
    fd = os.open(path, _CREATE, 0o600)
    try:
        for chunk in chunks:
            write_all(fd, chunk)
        os.fchmod(fd, mode)
        os.utime(fd, ns=(0, 0))
    finally:
        os.close(fd)
