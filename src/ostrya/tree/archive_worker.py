# SPDX-License-Identifier: Apache-2.0
"""The files of an archive, hashed and stored by workers while the archive is read on.

Whoever reads the archive hands over each file with its content, and says where it belongs. There it
is put when a worker has stored it, unless the archive has put another one there meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.checksum import Checksum
from ostrya.formats.errors import ObjectFormatError, printable
from ostrya.formats.file_header import FileHeader
from ostrya.tree.errors import ArchiveError
from ostrya.tree.worker_results import gather, take_told
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.formats.xattrs import Xattrs
    from ostrya.repo.transaction import Transaction
    from ostrya.repo.writer import ObjectWriter
    from ostrya.tree.mutable_tree import MutableTree
    from ostrya.tree.worker_results import Told

# Path for messages, uid, gid, mode, target of a link, xattrs, content.
FileTask = tuple[str, int, int, int, str, "Xattrs", bytes]
Batch = tuple[int, list[FileTask]]
BatchResult = tuple[int, list[str], "Told"]
# Larger content is not handed over: several of these are under way to every worker.
HANDED_OVER_BYTES = 4 << 20
_BATCH_FILES = 96
_BATCH_BYTES = 1 << 20

_Place = tuple[int, str]


class ArchiveFiles:
    """Files on their way into a tree."""

    __slots__ = ("_batches", "_bytes", "_expected", "_places", "_tasks", "_tx")

    def __init__(self, tx: Transaction) -> None:
        """Store into a transaction."""
        self._tx = tx
        self._batches = 0
        self._tasks: list[FileTask] = []
        self._bytes = 0
        # What every batch is to fill, and which of those places still wait for it.
        self._places: dict[int, list[tuple[MutableTree, str]]] = {}
        self._expected: dict[_Place, tuple[int, int]] = {}

    def expects(self, place: MutableTree, name: str) -> bool:
        """Say whether a file will be here that is not yet."""
        return (id(place), name) in self._expected

    def put(self, place: MutableTree, name: str, checksum: Checksum) -> None:
        """Put what is stored already, in place of what may be under way."""
        place.replace_file(name, checksum)
        self._expected.pop((id(place), name), None)

    def hand_over(
        self, place: MutableTree, name: str, path: str, header: FileHeader, data: bytes
    ) -> None:
        """Let a worker store a file, and put it here."""
        places = self._places.setdefault(self._batches, [])
        self._expected[id(place), name] = (self._batches, len(places))
        places.append((place, name))
        self._tasks.append((path, *header, data))
        self._bytes += len(data)

    def take_batch(self, *, last: bool = False) -> Batch | None:
        """Return what is to be done, if it is enough, or if nothing more will come."""
        if not self._tasks:
            return None
        if not last and len(self._tasks) < _BATCH_FILES and self._bytes < _BATCH_BYTES:
            return None
        batch = (self._batches, self._tasks)
        self._batches += 1
        self._tasks, self._bytes = [], 0
        return batch

    def run(self, batches: Iterable[Batch], jobs: int | None = None) -> Iterator[int]:
        """Let workers store batches; yield how many files were put where they belong."""
        for number, checksums, told in map_batches(self._make_worker, batches, jobs=jobs):
            places = self._places.pop(number)
            for at, ((place, name), checksum) in enumerate(zip(places, checksums, strict=True)):
                if self._expected.get((id(place), name)) == (number, at):
                    self.put(place, name, Checksum(checksum))
            gather(self._tx, told)
            yield len(checksums)

    def _make_worker(self) -> Callable[[Batch], BatchResult]:
        writer = self._tx.new_writer()

        def work(batch: Batch) -> BatchResult:
            number, tasks = batch
            checksums: list[str] = [_store(writer, *task) for task in tasks]
            return number, checksums, take_told(writer)

        return work


def _store(  # noqa: PLR0913, PLR0917  # a task's fields
    writer: ObjectWriter,
    path: str,
    uid: int,
    gid: int,
    mode: int,
    target: str,
    xattrs: Xattrs,
    data: bytes,
) -> Checksum:
    header = FileHeader(uid, gid, mode, target, xattrs)
    try:
        if header.is_symlink:
            return writer.write_symlink(header)
        return writer.write_data(header, data)
    except ObjectFormatError as exc:
        # An owner that is no number of 32 bits, a link target that is not UTF-8 …
        raise ArchiveError(f"{printable(path)}: {exc.message}") from exc
