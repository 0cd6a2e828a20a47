# SPDX-License-Identifier: Apache-2.0
"""Reading objects: whether they are there, what they hold, which there are.

Objects are looked for in the transaction under way, in the repository, and in its parents.
"""

from __future__ import annotations

import os
from errno import EISDIR, ELOOP
from typing import TYPE_CHECKING, TypeVar

from ostrya._linux.dirfd import FileTooLargeError, list_names, open_dir, read_file
from ostrya._linux.naming import name_below, name_error
from ostrya.errors import FormatError
from ostrya.formats.commit import Commit
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path, parse_loose_name
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import ObjectInvalid, ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.staged import staged_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject

_T = TypeVar("_T")

MAX_METADATA_BYTES = 128 << 20
_NOT_A_FILE = (EISDIR, ELOOP)


class _Place(NamedTuple):
    """A directory that may hold an object, and how its paths are made of loose ones."""

    repo: Repository
    fd: int
    path_of: Callable[[str], str]


def _places(repo: Repository) -> Iterator[_Place]:
    """Yield each directory that may hold an object, nearest first."""
    current: Repository | None = repo
    while current is not None:
        if current.staging_fd != -1:
            yield _Place(current, current.staging_fd, staged_path)
        yield _Place(current, current.objects_fd, str)
        current = current.parent


def _path_in(repo: Repository, name: ObjectName) -> str:
    return loose_path(name, archive=repo.mode == RepoMode.ARCHIVE)


def has_object(repo: Repository, name: ObjectName) -> bool:
    """Say whether an object is present, in this repository or in one of its parents."""
    return _find(repo, name) is not None


def object_storage_size(repo: Repository, name: ObjectName) -> int:
    """Return how many bytes an object takes on the disk.

    Raises:
        ObjectNotFound: It is nowhere.
    """
    found = _find(repo, name)
    if found is None:
        raise ObjectNotFound(name)
    return found.st_size


def _find(repo: Repository, name: ObjectName) -> os.stat_result | None:
    for place, fd, path_of in _places(repo):
        path = _path_in(place, name)
        try:
            found = _stat_or_none(path_of(path), fd)
        except OSError as exc:
            name_error(exc, f"{place.path}/objects/{path}")
            raise
        if found is not None:
            return found
    return None


def _stat_or_none(path: str, dir_fd: int) -> os.stat_result | None:
    try:
        return os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None


def load_metadata(repo: Repository, name: ObjectName) -> bytes:
    """Return the bytes of a metadata object, unverified.

    Raises:
        ObjectNotFound: It is nowhere.
        ObjectInvalid: It is no regular file, or larger than any metadata object may be.
    """
    for place, fd, path_of in _places(repo):
        path = _path_in(place, name)
        try:
            return read_file(path_of(path), dir_fd=fd, max_bytes=MAX_METADATA_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            if exc.errno not in _NOT_A_FILE:
                name_error(exc, f"{place.path}/objects/{path}")
                raise
            raise ObjectInvalid(name, "it is not a regular file") from None
        except FileTooLargeError:
            raise ObjectInvalid(name, f"it is larger than {MAX_METADATA_BYTES >> 20} MiB") from None
    raise ObjectNotFound(name)


def _load_decoded(repo: Repository, name: ObjectName, decode: Callable[[bytes], _T]) -> _T:
    """Return a metadata object as ``decode`` reads it; what is wrong with it carries its name."""
    data = load_metadata(repo, name)
    try:
        return decode(data)
    except FormatError as exc:
        exc.put_first(str(name))
        raise


def load_commit(repo: Repository, checksum: Checksum) -> Commit:
    """Return a commit.

    Raises:
        ObjectNotFound: It is nowhere.
        FormatError: It is not a commit; the sentence names it.
    """
    return _load_decoded(repo, ObjectName(checksum, ObjectType.COMMIT), Commit.decode)


def load_commit_bytes(repo: Repository, checksum: Checksum) -> bytes:
    """Return the bytes of a commit, over which signatures are made."""
    return load_metadata(repo, ObjectName(checksum, ObjectType.COMMIT))


def load_dirtree(repo: Repository, checksum: Checksum) -> DirTree:
    """Return the entries of a directory.

    Raises:
        ObjectNotFound: The object is nowhere.
        FormatError: It is not a dirtree; the sentence names it.
    """
    return _load_decoded(repo, ObjectName(checksum, ObjectType.DIR_TREE), DirTree.decode)


def load_dirmeta(repo: Repository, checksum: Checksum) -> DirMeta:
    """Return the metadata of a directory.

    Raises:
        ObjectNotFound: The object is nowhere.
        FormatError: It is not a dirmeta.
    """
    return _load_decoded(repo, ObjectName(checksum, ObjectType.DIR_META), DirMeta.decode)


def load_file(repo: Repository, checksum: Checksum) -> FileObject:
    """Open a content object; the caller closes it.

    Raises:
        ObjectNotFound: It is nowhere.
        ObjectInvalid: It is not what the repository's mode stores.
    """
    for place, fd, path_of in _places(repo):
        path = place.store.path_of(checksum)
        try:
            return place.store.load(fd, path_of(path), checksum)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            if exc.errno not in _NOT_A_FILE:
                name_error(exc, f"{place.path}/objects/{path}")
                raise
            name = ObjectName(checksum, ObjectType.FILE)
            raise ObjectInvalid(name, "it is not a regular file") from None
        except FormatError as exc:
            name = ObjectName(checksum, ObjectType.FILE)
            raise ObjectInvalid(name, exc.message) from exc
    raise ObjectNotFound(ObjectName(checksum, ObjectType.FILE))


def content_chunks(repo: Repository, checksum: Checksum, file: FileObject) -> Iterator[bytes]:
    """Yield the content of an opened object in pieces; an error of the disk names the object."""
    try:
        yield from file.chunks()
    except OSError as exc:
        name_error(exc, f"{repo.path}/objects/{repo.store.path_of(checksum)}")
        raise


def iter_objects(repo: Repository) -> Iterator[ObjectName]:
    """Yield the names of all loose objects of this very repository, in no order.

    Content that another mode would store is no object here.
    """
    try:
        names = list_names(repo.objects_fd)
    except OSError as exc:
        name_error(exc, f"{repo.path}/objects")
        raise
    for prefix in [name for name in names if len(name) == 2]:
        yield from _iter_prefix(repo, prefix)


def iter_commits(repo: Repository, *, starting_with: str = "") -> Iterator[Checksum]:
    """Yield the commits of this repository and its parents whose checksums begin so."""
    current: Repository | None = repo
    while current is not None:
        if len(starting_with) >= 2:
            names = _iter_prefix(current, starting_with[:2])
        else:
            names = iter_objects(current)
        for name in names:
            if name.type == ObjectType.COMMIT and name.checksum.startswith(starting_with):
                yield name.checksum
        current = current.parent


def _iter_prefix(repo: Repository, prefix: str) -> Iterator[ObjectName]:
    try:
        fd = open_dir(prefix, dir_fd=repo.objects_fd)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as exc:
        name_below(exc, f"{repo.path}/objects")
        raise
    try:
        filenames = os.listdir(fd)
    except OSError as exc:
        name_error(exc, f"{repo.path}/objects/{prefix}")
        raise
    finally:
        os.close(fd)
    foreign = ".file" if repo.mode == RepoMode.ARCHIVE else ".filez"
    for filename in filenames:
        name = parse_loose_name(prefix, filename)
        if name is not None and not filename.endswith(foreign):
            yield name
