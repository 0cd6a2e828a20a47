# SPDX-License-Identifier: Apache-2.0
"""Pulling by static deltas: what they make is here before the rest is asked for one by one.

For each commit: find a delta, fetch its superblock, verify it and the commit in it, apply the parts
whose objects are not all here. Whoever walks the commit after that finds little missing: fallbacks,
and what a delta has left out.
"""

from __future__ import annotations

import os
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING

from ostrya._linux.memory import available_bytes
from ostrya.errors import FormatError, IntegrityError, SignatureError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.checksum import checksum_of
from ostrya.formats.delta_name import DeltaName, commitmeta_path, superblock_path
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.delta_choice import choose_delta
from ostrya.pull.delta_found import DeltaCounts, FoundDelta
from ostrya.pull.errors import NoDelta, NotTrusted
from ostrya.pull.planner import Wanted
from ostrya.repo.delta_indexes import MAX_SUPERBLOCK_BYTES
from ostrya.repo.errors import LowSpace, ObjectNotFound
from ostrya.repo.free_space import format_size, min_free_bytes
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_commit

if TYPE_CHECKING:
    from ostrya.fetch.fetcher import Fetcher, Response
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.delta_superblock import Superblock
    from ostrya.progress import ProgressSink
    from ostrya.pull.delta_found import DeltaTarget
    from ostrya.pull.delta_offers import DeltaOffers
    from ostrya.pull.engine import CommitTaker
    from ostrya.pull.options import PullOptions
    from ostrya.pull.places import Places
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import Transaction


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
        chosen = self._choose(target)
        if chosen is None:
            self._do_without(target.ref or "", target.commit)
            return None
        name, digest = chosen
        found = self.load(name, digest)
        if found is None:
            self._do_without(name.origin or "(null)", target.commit)
            return None
        if not self._fits_memory(found):
            return None
        self.count(found)
        return found

    def load(self, name: DeltaName, digest: bytes | None) -> FoundDelta | None:
        """Fetch the superblock of a delta; None if the remote does not have it.

        Args:
            name: From where to where.
            digest: What the remote says that the superblock hashes to, if it says so.

        Raises:
            FetchError: It cannot be had.
            DeltaFormatError: It is damaged, or another one.
            NotTrusted: Somebody has to vouch for it, and nobody does.
        """
        urls = self._places.content_urls(superblock_path(name))
        response = fetch_one(self._fetcher, Request(urls, MAX_SUPERBLOCK_BYTES))
        if response.is_absent:
            return None
        try:
            data = self._read(response, name, digest)
            block = self._decode(data, name)
        except (FormatError, IntegrityError, SignatureError) as exc:
            exc.put_first(f"While fetching {response.url}")
            raise
        from ostrya.delta.apply import has_all_objects

        parts = enumerate(block.parts)
        return FoundDelta(
            block,
            tuple(index for index, part in parts if not has_all_objects(self._repo, part)),
            tuple(one for one in block.fallbacks if not has_object(self._repo, one.name)),
            len(data),
        )

    def apply(self, tx: Transaction, found: FoundDelta, commits: CommitTaker | None) -> None:
        """Make what a delta makes.

        Args:
            tx: Where objects are written.
            found: The delta.
            commits: Takes the commit; with None only what it holds is made, for the next delta.

        Raises:
            SignatureError: Nobody trusted vouches for the commit.
            FetchError: A part cannot be had.
            FormatError: A part is damaged.
            IntegrityError: Likewise, or it makes something else than it says.
            LowSpace: It would not fit the disk.
        """
        block, missing = found.block, found.missing
        self._require_space(sum(block.parts[index].unpacked_size for index in missing))
        if commits is not None:
            self._take_commit(block, commits)
        if not missing:
            return
        from ostrya.delta.part_sink import PartSink
        from ostrya.pull.delta_parts import PartFetcher

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

    def _read(
        self, response: Response, name: DeltaName, digest: bytes | None
    ) -> bytes | memoryview:
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
        if digest is not None and bytes.fromhex(checksum_of(data)) != digest:
            raise DeltaFormatError(f"Invalid checksum for static delta {name}")
        return data

    def _decode(self, data: bytes | memoryview, name: DeltaName) -> Superblock:
        # Loaded with the first delta: most pulls of little have none.
        from ostrya.delta.apply import check_commit, check_part_version
        from ostrya.formats.delta_superblock import decode_superblock

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

    def obstacle(self, memory: int | None, space: int) -> str | None:
        """Say why something cannot be applied that takes so many bytes; None if it can."""
        available = self._available_memory()
        if memory is not None and available is not None and memory > available:
            return f"only {format_size(available)} of memory are available"
        room = self._room()
        if space > room:
            return f"only {format_size(max(room, 0))} of free space are available"
        return None

    def _available_memory(self) -> int | None:
        limit = self._options.apply_memory
        return available_bytes() if limit is None else limit

    def _room(self) -> int:
        found = os.fstatvfs(self._repo.dir_fd)
        return found.f_bfree * found.f_bsize - min_free_bytes(self._repo)

    def _fits_memory(self, found: FoundDelta) -> bool:
        """Say whether applying a delta takes no more memory than there is, if its author knows."""
        stated, available = found.apply_memory, self._available_memory()
        if stated is None or available is None or stated <= available:
            return True
        problem = (
            f"Static delta {found.block.name} takes {format_size(stated)} of memory to apply, but "
            f"only {format_size(available)} are available"
        )
        if self._options.require_deltas:
            raise NoDelta(problem)
        import logging

        logging.getLogger(__name__).warning("%s; objects are fetched instead", problem)
        return False

    def count(self, found: FoundDelta) -> None:
        """Take note of a delta that is to be applied."""
        counts, block = self.counts, found.block
        counts.superblocks += 1
        counts.parts += len(block.parts)
        counts.parts_here += len(block.parts) - len(found.missing)
        counts.size += block.size
        counts.size_here += block.size - sum(block.parts[index].size for index in found.missing)
        counts.unpacked_size += block.unpacked_size
        fallback_size = sum(fallback.size for fallback in block.fallbacks)
        counts.fallbacks += len(block.fallbacks)
        counts.fallbacks_here += len(block.fallbacks) - len(found.fallbacks)
        counts.size += fallback_size
        counts.size_here += fallback_size - sum(fallback.size for fallback in found.fallbacks)
        counts.unpacked_size += sum(fallback.unpacked_size for fallback in block.fallbacks)

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
        from ostrya.formats.commitmeta import encode_commitmeta

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
