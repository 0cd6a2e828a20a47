# SPDX-License-Identifier: Apache-2.0
"""Is an object what its name says? Hashing one, and hashing many on every core."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.errors import FormatError, OstryaError
from ostrya.formats.checksum import Checksum, checksum_of
from ostrya.formats.commit import Commit
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.tombstone import decode_tombstone
from ostrya.repo.content_hash import ContentHasher
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid, ObjectNotFound
from ostrya.repo.reader import load_file, load_metadata
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject

_BATCH_OBJECTS = 128
_Batch = list[tuple[str, int]]
_BatchResult = tuple[int, list[tuple[str, int, str, bool, bool]]]
_BUFFER_BYTES = 1 << 20
_DECODERS: dict[ObjectType, Callable[[bytes], object]] = {
    ObjectType.COMMIT: Commit.decode,
    ObjectType.DIR_TREE: DirTree.decode,
    ObjectType.DIR_META: DirMeta.decode,
    ObjectType.TOMBSTONE_COMMIT: decode_tombstone,
}


class ObjectVerifier:
    """Verifies objects of one repository, reusing its buffer and the hashes of headers."""

    __slots__ = ("_buffer", "_hasher", "_repo")

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._hasher = ContentHasher()

    def verify(self, name: ObjectName) -> None:
        """Read, parse and hash one object.

        Raises:
            ObjectNotFound: It is nowhere.
            ChecksumMismatch: Its bytes are not those of its name.
            ObjectInvalid: It is not what the repository's mode stores.
            FormatError: It is not an object of its type.
        """
        if name.type == ObjectType.FILE:
            with load_file(self._repo, name.checksum) as loaded:
                try:
                    actual = self._hash_content(loaded)
                except FormatError as exc:
                    raise ObjectInvalid(name, exc.message) from exc
        else:
            data = load_metadata(self._repo, name)
            actual = checksum_of(data)
            if actual == name.checksum or name.type == ObjectType.TOMBSTONE_COMMIT:
                _DECODERS[name.type](data)
                return
        if actual != name.checksum:
            raise ChecksumMismatch(name, actual)

    def _hash_content(self, loaded: FileObject) -> Checksum:
        hasher = self._hasher.begin(loaded.header)
        if loaded.is_plain and loaded.size < _BUFFER_BYTES:
            got = os.readv(loaded.content_fd, (self._buffer,))
            hasher.update(self._buffer[:got])
        else:
            for chunk in loaded.chunks():
                hasher.update(chunk)
        return Checksum(hasher.hexdigest())


class Problem:
    """An object that failed its verification.

    Attributes:
        name: The object.
        missing: Whether it is not there at all.
        unread: Whether the system did not let it be read: it may be sound.
        message: What is wrong with it.
    """

    __slots__ = ("message", "missing", "name", "unread")

    def __init__(
        self, name: ObjectName, message: str, *, missing: bool = False, unread: bool = False
    ) -> None:
        self.name = name
        self.message = message
        self.missing = missing
        self.unread = unread


def verify_objects(
    repo: Repository, names: Iterable[ObjectName], *, jobs: int | None = None
) -> Iterator[tuple[int, list[Problem]]]:
    """Verify many objects; yield, batch by batch, how many were looked at and what was wrong."""

    def make() -> Callable[[_Batch], _BatchResult]:
        verifier = ObjectVerifier(repo)

        def work(batch: _Batch) -> _BatchResult:
            wrong = []
            for checksum, kind in batch:
                problem = check_object(verifier, ObjectName(Checksum(checksum), ObjectType(kind)))
                if problem is not None:
                    wrong.append((checksum, kind, problem.message, problem.missing, problem.unread))
            return len(batch), wrong

        return work

    for count, wrong in map_batches(make, _batches(names), jobs=jobs):
        yield (
            count,
            [
                Problem(
                    ObjectName(Checksum(checksum), ObjectType(kind)),
                    message,
                    missing=missing,
                    unread=unread,
                )
                for checksum, kind, message, missing, unread in wrong
            ],
        )


def _batches(names: Iterable[ObjectName]) -> Iterator[_Batch]:
    batch: _Batch = []
    for name in names:
        batch.append((str(name.checksum), int(name.type)))
        if len(batch) == _BATCH_OBJECTS:
            yield batch
            batch = []
    if batch:
        yield batch


def check_object(verifier: ObjectVerifier, name: ObjectName) -> Problem | None:
    """Verify one object, and say what is wrong with it instead of raising."""
    try:
        verifier.verify(name)
    except ObjectNotFound as exc:
        return Problem(name, exc.message, missing=True)
    except OstryaError as exc:
        return Problem(name, f"{_label(name)}: {exc.message}")
    except OSError as exc:
        return Problem(name, f"{_label(name)}: {exc.strerror}", unread=True)
    return None


def _label(name: ObjectName) -> str:
    if name.type == ObjectType.FILE:
        return f"fsck content object {name.checksum}"
    return f"fsck {name}"
