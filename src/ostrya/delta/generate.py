# SPDX-License-Identifier: Apache-2.0
"""Make a static delta from one commit to another, or from nothing to one.

Parts are made by several processes, under temporary names; when all are there they get theirs, and
the superblock comes last. What fails before leaves a delta of the same name as it was; then that
goes first, so that whoever reads meanwhile finds none, and never one whose parts are another's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from threading import get_ident
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import ensure_dir, open_dir, unlink_if_exists
from ostrya.delta.gather import gather_objects
from ostrya.delta.generate_worker import make_part_worker
from ostrya.delta.part_writer import WrittenPart
from ostrya.delta.plan import (
    DeltaLimits,
    Shipping,
    Workshop,
    apply_bytes,
    group_parts,
)
from ostrya.delta.tally import Tally
from ostrya.formats.checksum import Checksum
from ostrya.formats.delta_name import DeltaName, commitmeta_path, delta_dir, part_path
from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.delta_superblock import (
    INLINE_PART_TYPE,
    KEY_APPLY_MEMORY,
    KEY_ENDIANNESS,
    DeltaByteOrder,
    Fallback,
    FoundByteOrder,
    PartHeader,
    Superblock,
    byte_order_value,
)
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, Started, Unit
from ostrya.repo.detached import read_detached
from ostrya.repo.reader import load_commit_bytes, load_file
from ostrya.workers import default_jobs, map_batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.delta.generate_worker import Batch, BatchResult, Shipped
    from ostrya.delta.plan import NewObject
    from ostrya.progress import ProgressSink
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer

_TASK = "Making delta"
_SUPERBLOCK_MODE = 0o644
# So often at the most is told how far it is.
_REPORTS = 400


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How a delta is made.

    Attributes:
        limits: What it may hold.
        jobs: How many processes work; by default one for each processor.
        memory: What they may take together, in bytes, roughly.
        inline: Whether the superblock carries the parts.
        filename: Where the superblock goes; by default into the repository.
        byte_order: Of the integers.
        metadata: Entries to put first into the superblock.
    """

    limits: DeltaLimits = field(default_factory=DeltaLimits)
    jobs: int | None = None
    memory: int | None = None
    inline: bool = False
    filename: str | None = None
    byte_order: DeltaByteOrder = DeltaByteOrder.LITTLE
    metadata: VarDict = field(default_factory=VarDict)


class MadePart(NamedTuple):
    """A part that was made: how many objects it makes, and its sizes in bytes."""

    objects: int
    size: int
    unpacked_size: int


class ShippedFile(NamedTuple):
    """How a file got into the delta: its size, and about what it takes, in bytes."""

    checksum: Checksum
    path: str
    shipping: Shipping
    size: int
    cost: int


class GeneratedDelta(NamedTuple):
    """What was made.

    Attributes:
        name: From where to where.
        new_metadata: How many directories and their metadata are new; the commit counts too.
        new_files: How many files are new.
        new_links: How many symbolic links are new.
        partnered: How many of the files resemble an old one.
        files: How each file is shipped.
        parts: The parts.
        superblock_size: In bytes.
        apply_memory: What applying takes, in bytes.
        loose_size: What all its objects take as they are stored here, in bytes.
    """

    name: DeltaName
    new_metadata: int
    new_files: int
    new_links: int
    partnered: int
    files: tuple[ShippedFile, ...]
    parts: tuple[MadePart, ...]
    superblock_size: int
    apply_memory: int
    loose_size: int

    def count(self, shipping: Shipping) -> int:
        """Count the files that are shipped in one way."""
        return sum(file.shipping is shipping for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of superblock and parts."""
        own = max(self.superblock_size, 0)
        return own + sum(part.size for part in self.parts)


def generate_delta(
    repo: Repository,
    name: DeltaName,
    options: GenerateOptions,
    *,
    now: int,
    signers: Sequence[Signer] = (),
    progress: ProgressSink = NULL_PROGRESS,
) -> GeneratedDelta:
    """Make a delta.

    Args:
        repo: Holds both commits, and gets the delta unless the options say where it goes.
        name: From where to where.
        options: How.
        now: Its time, in seconds since 1970 UTC.
        signers: Who signs it.
        progress: Told how much of the content has been worked on.

    Raises:
        ObjectNotFound: Something of a commit is missing.
        SignatureError: A signature could not be made.
    """
    with repo.lock.hold(exclusive=False):
        out_fd, filename = _open_destination(repo, name, options)
        try:
            return _Generator(repo, name, options, out_fd, progress).run(filename, now, signers)
        finally:
            os.close(out_fd)


def _open_destination(
    repo: Repository, name: DeltaName, options: GenerateOptions
) -> tuple[int, str]:
    if options.filename is not None:
        parent, _, base = options.filename.rpartition("/")
        if not parent and options.filename.startswith("/"):
            parent = "/"
        return open_dir(parent or ".", follow=True), base
    path = ""
    for component in delta_dir(name).split("/"):
        path = f"{path}/{component}" if path else component
        ensure_dir(path, dir_fd=repo.dir_fd)
    return open_dir(path, dir_fd=repo.dir_fd), "superblock"


class _Generator:
    def __init__(
        self,
        repo: Repository,
        name: DeltaName,
        options: GenerateOptions,
        out_fd: int,
        progress: ProgressSink,
    ) -> None:
        self._repo = repo
        self._name = name
        self._options = options
        self._out_fd = out_fd
        self._progress = progress
        jobs = default_jobs() if options.jobs is None else options.jobs
        self._workshop = Workshop.within(jobs, options.memory)
        # By number: temporary name and facts of a finished part.
        self._made: dict[int, tuple[str, WrittenPart]] = {}
        self._shipped: list[Shipped] = []
        self._tally: Tally | None = None
        self._reported = 0
        self._owner = os.getpid(), get_ident()

    def run(self, filename: str, now: int, signers: Sequence[Signer]) -> GeneratedDelta:
        commit_data = load_commit_bytes(self._repo, self._name.to)
        gathered = gather_objects(
            self._repo,
            self._name,
            self._workshop,
            same_path_only=self._options.limits.same_path_only,
        )
        groups = group_parts(gathered.objects, self._options.limits, self._workshop.jobs)
        try:
            self._make_parts(groups)
            parts = self._order_parts()
            apply_memory = max(
                (
                    apply_bytes(part.payload_size, part.dictionary, part.patched_file)
                    for _, part in parts
                ),
                default=0,
            )
            block = self._superblock(commit_data, parts, apply_memory, now).encode()
            block = _sign(block, signers)
            self._publish(filename, block, parts)
        finally:
            self._discard()
        return GeneratedDelta(
            name=self._name,
            new_metadata=sum(one.name.type != ObjectType.FILE for one in gathered.objects) + 1,
            new_files=len(gathered.paths) - gathered.links,
            new_links=gathered.links,
            partnered=sum(bool(one.partners) for one in gathered.objects),
            files=tuple(
                ShippedFile(
                    Checksum(checksum),
                    gathered.paths[Checksum(checksum)],
                    Shipping(how),
                    size,
                    cost,
                )
                for checksum, how, size, cost in self._shipped
            ),
            parts=tuple(
                MadePart(len(part.objects) // 33, part.size, part.unpacked_size)
                for _, part in parts
            ),
            superblock_size=len(block)
            - (sum(part.size for _, part in parts) if self._options.inline else 0),
            apply_memory=apply_memory,
            loose_size=gathered.loose_size,
        )

    # ------------------------------------------------------------------ making

    def _make_parts(self, groups: list[list[NewObject]]) -> None:
        tally = Tally([sum(one.size for one in group) for group in groups] or [0], self._report)
        self._tally = tally
        self._progress.send(Started(_TASK, tally.total, Unit.BYTES))
        worker = make_part_worker(
            self._repo, self._out_fd, self._options.limits, self._workshop, tally
        )
        for result in map_batches(
            worker, _batches(groups), jobs=self._workshop.jobs, on_wait=self._report
        ):
            self._take(result)
        if not self._made:
            # Clients expect a part, even if it makes nothing.
            self._take(worker()((0, [])))
        self._progress.send(Finished(_TASK, tally.total))

    def _take(self, result: BatchResult) -> None:
        number, temporary, part, shipped = result
        self._shipped += shipped
        if part is not None:
            self._made[number] = (temporary, WrittenPart(Checksum(part[0]), *part[1:]))

    def _report(self) -> None:
        """Say how far all parts are, unless this is a worker apart."""
        if (os.getpid(), get_ident()) != self._owner or self._tally is None:
            return
        done, total = self._tally.done, self._tally.total
        if done >= self._reported + total // _REPORTS:
            self._reported = done
            self._progress.send(Advanced(_TASK, done, total))

    def _order_parts(self) -> list[tuple[str, WrittenPart]]:
        self._shipped.sort()
        return [self._made[number] for number in sorted(self._made)]

    # ------------------------------------------------------------------ the superblock

    def _superblock(
        self,
        commit_data: bytes,
        parts: list[tuple[str, WrittenPart]],
        apply_memory: int,
        now: int,
    ) -> Superblock:
        options = self._options
        entries = [
            *options.metadata,
            (KEY_ENDIANNESS, byte_order_value(options.byte_order)),
            (KEY_APPLY_MEMORY, Variant("t", swap_u64(apply_memory))),
        ]
        if options.inline:
            entries += self._inline_parts(parts)
        detached = read_detached(self._repo, self._name.to)
        if detached is not None:
            entries.append((commitmeta_path(self._name), Variant("a{sv}", detached)))
        return Superblock(
            metadata=VarDict(entries),
            timestamp=now,
            origin=self._name.origin,
            to=self._name.to,
            commit_data=commit_data,
            parents=b"",
            parts=tuple(
                PartHeader(0, part.checksum, part.size, part.unpacked_size, part.objects)
                for _, part in parts
            ),
            fallbacks=tuple(self._fallbacks()),
            byte_order=FoundByteOrder(options.byte_order, heuristic=False),
        )

    def _inline_parts(self, parts: list[tuple[str, WrittenPart]]) -> Iterator[tuple[str, Variant]]:
        for index, (temporary, _) in enumerate(parts):
            fd = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._out_fd)
            with os.fdopen(fd, "rb") as stream:
                kind = stream.read(1)[0]
                value = Variant(INLINE_PART_TYPE, (kind, stream.read()))
            yield part_path(self._name, index), value

    def _fallbacks(self) -> Iterator[Fallback]:
        for checksum, how, size, _ in self._shipped:
            if how == Shipping.FALLBACK:
                with load_file(self._repo, Checksum(checksum)) as file:
                    stored = file.stored_size
                yield Fallback(ObjectName(Checksum(checksum), ObjectType.FILE), stored, size)

    # ------------------------------------------------------------------ into place

    def _publish(self, filename: str, block: bytes, parts: list[tuple[str, WrittenPart]]) -> None:
        if self._options.filename is None:
            unlink_if_exists(filename, dir_fd=self._out_fd)
        if not self._options.inline:
            for index, (temporary, _) in enumerate(parts):
                os.rename(temporary, str(index), src_dir_fd=self._out_fd, dst_dir_fd=self._out_fd)
            self._made.clear()
        durable = self._repo.config.fsync
        replace_file(filename, block, dir_fd=self._out_fd, mode=_SUPERBLOCK_MODE, durable=durable)
        if self._options.filename is None:
            self._remove_stale(0 if self._options.inline else len(parts))

    def _remove_stale(self, first: int) -> None:
        """Remove the parts that an earlier delta had beyond ours."""
        for entry in os.listdir(self._out_fd):
            if entry.isascii() and entry.isdigit() and int(entry) >= first:
                os.unlink(entry, dir_fd=self._out_fd)

    def _discard(self) -> None:
        for temporary, _ in self._made.values():
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self._out_fd)


def _batches(groups: list[list[NewObject]]) -> Iterator[Batch]:
    for number, group in enumerate(groups):
        yield (
            number,
            [
                (int(one.name.type), str(one.name.checksum), one.size, tuple(one.partners))
                for one in group
            ],
        )


def _sign(block: bytes, signers: Sequence[Signer]) -> bytes:
    if not signers:
        return block
    signatures: dict[str, list[bytes]] = {}
    for signer in signers:
        made = signatures.setdefault(signer.metadata_key, [])
        made.append(signer.sign(block, tuple(made)))
    entries = [(key, Variant("aay", tuple(made))) for key, made in signatures.items()]
    return SignedDelta(block, VarDict(entries)).encode()
