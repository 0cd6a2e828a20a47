# SPDX-License-Identifier: Apache-2.0
"""Pulling by static deltas: what they make is here before the rest is asked for one by one.

For each commit: find a delta, fetch its superblock, verify it and the commit in it, apply the parts
whose objects are not all here. Whoever walks the commit after that finds little missing: fallbacks,
and what a delta has left out.
"""

from __future__ import annotations

import hashlib
import os
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING, NamedTuple

from ostrya._linux.memory import available_bytes
from ostrya.delta.apply import check_commit, check_part_version, has_all_objects
from ostrya.delta.part_sink import PartSink
from ostrya.errors import FormatError, IntegrityError, SignatureError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.commitmeta import encode_commitmeta
from ostrya.formats.delta_name import DeltaName, commitmeta_path, superblock_path
from ostrya.formats.delta_superblock import KEY_APPLY_MEMORY, Superblock, decode_superblock
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.delta_choice import choose_delta
from ostrya.pull.delta_parts import PartFetcher
from ostrya.pull.errors import NoDelta, NotTrusted
from ostrya.pull.planner import Wanted
from ostrya.repo.delta_indexes import MAX_SUPERBLOCK_BYTES
from ostrya.repo.errors import LowSpace, ObjectNotFound
from ostrya.repo.free_space import format_size
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_commit

if TYPE_CHECKING:
    from ostrya.fetch.fetcher import Fetcher, Response
    from ostrya.formats.checksum import Checksum
    from ostrya.progress import ProgressSink
    from ostrya.pull.delta_offers import DeltaOffers
    from ostrya.pull.engine import CommitTaker, Places
    from ostrya.pull.options import PullOptions
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import Transaction


class DeltaTarget(NamedTuple):
    """A commit to get by a delta.

    Attributes:
        commit: The commit.
        ref: What it was asked for by; None for itself.
        current: What that ref is here; None if it is not.
    """

    commit: Checksum
    ref: str | None = None
    current: Checksum | None = None


class FoundDelta(NamedTuple):
    """A delta that leads to a target.

    Attributes:
        block: Its head.
        missing: Its parts whose objects are not all here, by number.
    """

    block: Superblock
    missing: tuple[int, ...]


class DeltaCounts:
    """What the deltas of a pull came to, so far.

    Attributes:
        parts: How many parts they have.
        parts_here: How many of those were here, or are by now.
        parts_fetched: How many were applied.
        fallbacks: How many objects are in none of the parts.
        fallbacks_here: How many of those are here.
        size: Of parts and fallbacks, in bytes.
        size_here: Of those that were here.
        unpacked_size: Of what they make, in bytes.
        superblocks: How many deltas there are.
    """

    __slots__ = (
        "fallbacks",
        "fallbacks_here",
        "parts",
        "parts_fetched",
        "parts_here",
        "size",
        "size_here",
        "superblocks",
        "unpacked_size",
    )

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parts = 0
        self.parts_here = 0
        self.parts_fetched = 0
        self.fallbacks = 0
        self.fallbacks_here = 0
        self.size = 0
        self.size_here = 0
        self.unpacked_size = 0
        self.superblocks = 0

    def sentence(self) -> str:
        """Say it as libostree does before a pull."""
        here, total = self.parts_here + self.fallbacks_here, self.parts + self.fallbacks
        return (
            f"Delta update: {here}/{total} parts, {format_size(self.size_here)}/"
            f"{format_size(self.size)}, {format_size(self.unpacked_size)} total uncompressed"
        )


class DeltaPull:
    """The deltas of one pull."""

    def __init__(  # noqa: PLR0913  # its parts, by keyword
        self,
        repo: Repository,
        *,
        fetcher: Fetcher,
        places: Places,
        offers: DeltaOffers,
        options: PullOptions,
        digests_required: bool,
        progress: ProgressSink,
        jobs: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            repo: Where to.
            fetcher: Gets files.
            places: Where they are.
            offers: What the remote says of its deltas.
            options: How to pull.
            digests_required: Whether a superblock that no list names is refused.
            progress: Told about bytes.
            jobs: How many threads.
        """
        self._repo = repo
        self._fetcher = fetcher
        self._places = places
        self._offers = offers
        self._options = options
        self._digests_required = digests_required
        self._progress = progress
        self._jobs = jobs
        self.counts = DeltaCounts()

    def find(self, target: DeltaTarget) -> FoundDelta | None:
        """Find the delta to a commit, and count what is in it; None to do without.

        Raises:
            NoDelta: There is none, and one is required.
            FetchError: It cannot be had.
            DeltaFormatError: It is damaged.
        """
        if self.is_whole(target.commit):
            return None
        found = self._choose(target)
        if found is None:
            self._do_without(target.ref or "", target.commit)
            return None
        name, digest = found
        urls = self._places.content_urls(superblock_path(name))
        response = fetch_one(self._fetcher, Request(urls, MAX_SUPERBLOCK_BYTES))
        if response.is_absent:
            self._do_without(name.origin or "(null)", target.commit)
            return None
        try:
            block = self._decode(response, name, digest)
        except (FormatError, IntegrityError) as exc:
            exc.put_first(f"While fetching {response.url}")
            raise
        if not self._fits_memory(block):
            return None
        parts = enumerate(block.parts)
        missing = [index for index, part in parts if not has_all_objects(self._repo, part)]
        self._count(block, missing)
        return FoundDelta(block, tuple(missing))

    def apply(self, tx: Transaction, found: FoundDelta, commits: CommitTaker) -> None:
        """Make what a delta makes.

        Raises:
            SignatureError: Nobody trusted vouches for the commit.
            FetchError: A part cannot be had.
            FormatError: A part is damaged.
            IntegrityError: Likewise, or it makes something else than it says.
            LowSpace: It would not fit the disk.
        """
        block, missing = found
        self._require_space(sum(block.parts[index].unpacked_size for index in missing))
        self._take_commit(block, commits)
        if not missing:
            return
        sink = PartSink(
            tx,
            block,
            jobs=self._jobs,
            check_user_only_modes=self._options.check_user_only_modes,
        )
        with sink:
            PartFetcher(tx, block, self._fetcher, self._places, self._progress).run(missing, sink)
        self.counts.parts_fetched += sink.applied

    def is_whole(self, checksum: Checksum) -> bool:
        """Say whether a commit is here with all it holds."""
        return self._time_of(checksum) is not None

    def _choose(self, target: DeltaTarget) -> tuple[DeltaName, bytes | None] | None:
        commit, current = target.commit, target.current
        if self._offers.are_listed:
            offered = self._offers.to(commit)
            name = choose_delta(commit, offered, self._time_of, pulled_before=current is not None)
            return None if name is None else (name, offered[name])
        # Nothing is said of deltas: there may be one from what the ref is here.
        if current is not None and not self.is_whole(current):
            current = None
        return DeltaName(commit, current), None

    def _time_of(self, checksum: Checksum) -> int | None:
        try:
            commit = load_commit(self._repo, checksum)
        except ObjectNotFound:
            return None
        return None if is_partial(self._repo, checksum) else commit.timestamp

    def _do_without(self, origin: str, commit: Checksum) -> None:
        if self._options.require_deltas:
            raise NoDelta(f"Static deltas required, but none found for {origin} to {commit}")

    def _decode(self, response: Response, name: DeltaName, digest: bytes | None) -> Superblock:
        data: bytes | memoryview
        if response.spool_fd != -1:
            try:
                data = memoryview(mmap(response.spool_fd, 0, access=ACCESS_READ))
            finally:
                os.close(response.spool_fd)
        else:
            data = response.body
        if digest is None and self._digests_required:
            raise NotTrusted(
                "GPG verification enabled, but no summary signatures found (use "
                "gpg-verify-summary=false in remote config to disable)"
            )
        if digest is not None and hashlib.sha256(data).digest() != digest:
            raise DeltaFormatError(f"Invalid checksum for static delta {name}")
        block, _ = decode_superblock(data)
        if block.name != name:
            raise DeltaFormatError(f"Invalid static delta {name}: it is {block.name}")
        check_commit(block)
        for part in block.parts:
            check_part_version(part)
        for fallback in block.fallbacks:
            if fallback.name.type != ObjectType.FILE:
                raise DeltaFormatError(f"Found metadata object as fallback: {fallback.name}")
        return block

    def _fits_memory(self, block: Superblock) -> bool:
        """Say whether applying a delta takes no more memory than there is, if its author knows."""
        stated = block.metadata.lookup(KEY_APPLY_MEMORY, "t")
        available = self._options.apply_memory
        if available is None:
            available = available_bytes()
        if stated is None or available is None or swap_u64(stated) <= available:
            return True
        if self._options.require_deltas:
            raise NoDelta(
                f"Static delta {block.name} takes {format_size(swap_u64(stated))} of memory to "
                f"apply, but only {format_size(available)} are available"
            )
        return False

    def _count(self, block: Superblock, missing: list[int]) -> None:
        counts = self.counts
        counts.superblocks += 1
        counts.parts += len(block.parts)
        counts.parts_here += len(block.parts) - len(missing)
        counts.size += block.size
        counts.size_here += block.size - sum(block.parts[index].size for index in missing)
        counts.unpacked_size += block.unpacked_size
        for fallback in block.fallbacks:
            counts.fallbacks += 1
            counts.size += fallback.size
            counts.unpacked_size += fallback.unpacked_size
            if has_object(self._repo, fallback.name):
                counts.fallbacks_here += 1
                counts.size_here += fallback.size

    def _require_space(self, size: int) -> None:
        found = os.fstatvfs(self._repo.dir_fd)
        room = found.f_bfree * found.f_bsize
        if size > room:
            raise LowSpace(
                f"Delta requires {format_size(size)} free space, but only {format_size(room)} "
                "available"
            )

    def _take_commit(self, block: Superblock, commits: CommitTaker) -> None:
        name = ObjectName(block.to, ObjectType.COMMIT)
        if has_object(self._repo, name):
            return
        detached = block.metadata.lookup(commitmeta_path(block.name), "a{sv}")
        try:
            commits.take(
                Wanted(name),
                block.commit_data,
                None if detached is None else encode_commitmeta(detached),
            )
        except (FormatError, IntegrityError, SignatureError) as exc:
            exc.put_first(f"Static delta {block.name}")
            raise
