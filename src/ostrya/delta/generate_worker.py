# SPDX-License-Identifier: Apache-2.0
"""Make parts, one after the other, in a process of their own.

For each file the cheapest way to ship it is found: its partners are tried one after the other
until one is good; what the patch takes is compared with what the file takes by itself.
"""

from __future__ import annotations

import lzma
import os
import zlib
from typing import TYPE_CHECKING

from ostrya._linux.atomic import temporary_name
from ostrya.delta.bsdiff import MadePatch, make_patch
from ostrya.delta.contents import Content, SpooledPatch
from ostrya.delta.part_writer import PartWriter
from ostrya.delta.plan import Costs, Shipping, choose_shipping
from ostrya.delta.rollsum import CommonRange, find_common_ranges
from ostrya.delta.similarity import sketch
from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import content_chunks, load_file, load_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.delta.plan import DeltaLimits, Workshop
    from ostrya.delta.tally import Tally
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject

# By number of the part: objects as type, checksum, size and partners.
Task = tuple[int, str, int, tuple[str, ...]]
Batch = tuple[int, list[Task]]
# Of each file: checksum, how it is shipped, size, about how many bytes it takes.
Shipped = tuple[str, str, int, int]
PartFields = tuple[str, int, int, bytes, int, int, int]
# The number, the temporary name, the fields of a WrittenPart, what was shipped.
BatchResult = tuple[int, str, PartFields | None, list[Shipped]]

SketchBatch = list[tuple[str, bool]]
SketchResult = list[tuple[str, bool, tuple[int, ...]]]

_WORLD_READABLE = 0o004
# Deflate against xz, by experience.
_XZ_SHARE = 0.85
# What estimates of patches are too high by.
_PATCH_SHARE = 0.75
_RANGE_BYTES = 6
# Before compression: the operations of a range, and of what follows it.
_RANGE_MOST_BYTES = 40
# A patch this good is not bettered by the next partner.
_GOOD_SHARE = 0.3
# Up to this size a close call is decided by compressing.
_TRIED_BYTES = 1 << 20
_CLOSE = 2.0
_SAMPLE_BYTES = 1 << 20
_LARGE_FILE = 4 * 1000 * 1000


class _Attempt(NamedTuple):
    source: Checksum
    patch: MadePatch | None
    ranges: list[CommonRange] | None
    cost: int


def make_part_worker(
    repo: Repository, out_fd: int, limits: DeltaLimits, workshop: Workshop, tally: Tally
) -> Callable[[], Callable[[Batch], BatchResult]]:
    """Return a factory of workers, for ``map_batches``; parts get temporary names below out_fd."""

    def make() -> Callable[[Batch], BatchResult]:
        return _PartWorker(repo, out_fd, limits, workshop, tally).run

    return make


class _PartWorker:
    def __init__(
        self,
        repo: Repository,
        out_fd: int,
        limits: DeltaLimits,
        workshop: Workshop,
        tally: Tally,
    ) -> None:
        self._tally = tally
        self._repo = repo
        self._out_fd = out_fd
        self._limits = limits
        self._workshop = workshop

    def run(self, batch: Batch) -> BatchResult:
        number, tasks = batch
        shipped: list[Shipped] = []
        made = searched = 0
        with PartWriter(self._repo.tmp_fd) as writer:
            for kind, checksum, size, partners in tasks:
                name = ObjectName(Checksum(checksum), ObjectType(kind))
                if name.type == ObjectType.FILE:
                    entry = self._add_file(writer, name, size, partners)
                    shipped.append(entry)
                    made += entry[1] != Shipping.FALLBACK
                else:
                    writer.add_metadata(name, load_metadata(self._repo, name))
                    made += 1
                searched += size
                self._tally.note_searched(number, searched)
            if tasks and not made:
                return number, "", None, shipped
            temporary = temporary_name()
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            fd = os.open(temporary, flags, 0o644, dir_fd=self._out_fd)
            try:
                part = writer.finish(
                    fd,
                    self._limits,
                    self._workshop.encoder,
                    lambda share: self._tally.note_packed(number, share),
                )
                if self._repo.config.fsync:
                    os.fsync(fd)
            except BaseException:
                os.unlink(temporary, dir_fd=self._out_fd)
                raise
            finally:
                os.close(fd)
        return number, temporary, (str(part.checksum), *part[1:]), shipped

    def _add_file(
        self, writer: PartWriter, name: ObjectName, size: int, partners: tuple[str, ...]
    ) -> Shipped:
        with load_file(self._repo, name.checksum) as file:
            if not partners or not size or file.header.is_symlink:
                return self._add_alone(writer, name, file)
            with self._content(name.checksum, file) as new:
                whole = self._whole_cost(file, new)
                best = self._best_attempt(new, whole, partners)
                costs = Costs(
                    whole=whole if size <= self._limits.largest else None,
                    patch=best.cost if best is not None and best.patch is not None else None,
                    ranges=best.cost if best is not None and best.ranges is not None else None,
                    loose=self._loose_cost(file),
                )
                shipping = _compare(costs, best, new)
                cost = getattr(costs, shipping.value, None) or file.stored_size
                if shipping is Shipping.WHOLE:
                    writer.add_whole(name, file.header, size, (new.data,))
                elif best is not None and best.patch is not None and shipping is Shipping.PATCH:
                    writer.add_patch(name, file.header, size, best.source, best.patch.data)
                elif best is not None and best.ranges is not None:
                    writer.add_ranges(name, file.header, new.data, best.source, best.ranges)
                return name.checksum, shipping.value, size, int(cost)

    def _add_alone(self, writer: PartWriter, name: ObjectName, file: FileObject) -> Shipped:
        cost = file.stored_size if self._is_archive else file.size
        bound = self._limits.min_fallback
        too_large = bool(bound) and file.size > (bound or 0)
        if too_large or file.size > self._limits.largest:
            return name.checksum, Shipping.FALLBACK.value, file.size, cost
        chunks = content_chunks(self._repo, name.checksum, file)
        writer.add_whole(name, file.header, file.size, chunks)
        return name.checksum, Shipping.WHOLE.value, file.size, int(cost * _XZ_SHARE)

    @property
    def _is_archive(self) -> bool:
        return self._repo.mode == RepoMode.ARCHIVE

    def _content(self, checksum: Checksum, file: FileObject) -> Content:
        return Content(
            self._repo,
            checksum,
            file,
            spill=self._workshop.spill,
            spool_fd=self._repo.tmp_fd,
        )

    def _whole_cost(self, file: FileObject, new: Content) -> int:
        if self._is_archive:
            return int(file.stored_size * _XZ_SHARE)
        sample = new.data[:_SAMPLE_BYTES]
        packed = len(zlib.compress(sample, 1))
        return int(packed * _XZ_SHARE * file.size / len(sample))

    def _loose_cost(self, file: FileObject) -> int | None:
        bound = self._limits.min_fallback
        if bound == 0:
            return None
        if file.size <= (_LARGE_FILE if bound is None else bound):
            return None
        return file.stored_size if self._is_archive else file.size

    def _best_attempt(self, new: Content, whole: int, partners: tuple[str, ...]) -> _Attempt | None:
        best: _Attempt | None = None
        for partner in partners:
            attempt = self._attempt(Checksum(partner), new, whole)
            if attempt is not None and (best is None or attempt.cost < best.cost):
                best = attempt
            if best is not None and best.cost < whole * _GOOD_SHARE:
                break
        return best

    def _attempt(self, source: Checksum, new: Content, whole: int) -> _Attempt | None:
        limits = self._limits
        with load_file(self._repo, source) as file:
            # A client that is not root may not be able to read others.
            if file.header.is_symlink or not file.header.mode & _WORLD_READABLE or not file.size:
                return None
            size = len(new.data)
            patched = (
                limits.patches
                and size + file.size <= limits.max_patch
                and size <= min(limits.largest, limits.patched_file or size)
            )
            with self._content(source, file) as old:
                if patched:
                    made = self._make_patch(old, new)
                    if len(made.data) > (limits.longest_patch(size) or len(made.data)):
                        return None
                    return _Attempt(source, made, None, int(made.estimate * _PATCH_SHARE))
                ranges = find_common_ranges(old.data, new.data, index_bytes=self._workshop.index)
        literal = size - sum(one.size for one in ranges)
        if not ranges or literal + _RANGE_MOST_BYTES * len(ranges) > limits.largest:
            return None
        cost = whole * literal // size + _RANGE_BYTES * len(ranges)
        return _Attempt(source, None, ranges, cost)

    def _make_patch(self, old: Content, new: Content) -> MadePatch:
        spills = len(new.data) >= self._workshop.spill
        return make_patch(
            old.data,
            new.data,
            index_bytes=self._workshop.index,
            new_file=(lambda: SpooledPatch(self._repo.tmp_fd)) if spills else None,
        )


def _compare(costs: Costs, best: _Attempt | None, new: Content) -> Shipping:
    shipping = choose_shipping(costs)
    if costs.whole is None or costs.patch is None or best is None or best.patch is None:
        return shipping
    is_close = costs.whole < costs.patch * _CLOSE and costs.patch < costs.whole * _CLOSE
    if not is_close or len(new.data) > _TRIED_BYTES:
        return shipping
    tried = costs._replace(whole=_packed(new.data), patch=_packed(best.patch.data))
    return choose_shipping(tried)


def _packed(data: bytes | memoryview) -> int:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
    return len(lzma.compress(data, lzma.FORMAT_RAW, filters=filters))


def make_sketch_worker(
    repo: Repository, spill: int
) -> Callable[[], Callable[[SketchBatch], SketchResult]]:
    """Return a factory of workers that sketch contents; the flag of each comes back as it is.

    Contents from ``spill`` bytes on are in files meanwhile.
    """

    def run(batch: SketchBatch) -> SketchResult:
        found = []
        for checksum, is_new in batch:
            name = Checksum(checksum)
            with (
                load_file(repo, name) as file,
                Content(repo, name, file, spill=spill, spool_fd=repo.tmp_fd) as content,
            ):
                found.append((checksum, is_new, sketch(content.data)))
        return found

    return lambda: run
