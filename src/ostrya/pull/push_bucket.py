# SPDX-License-Identifier: Apache-2.0
"""Pushing to a bucket: an archive in files, and a mark that keeps prunes away meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.pull.push_archive import ArchiveTarget
from ostrya.repo.bucket_marks import PUSH, Mark
from ostrya.repo.errors import BucketError
from ostrya.repo.stores.bucket import BucketOptions, BucketStore, open_bucket

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.pull.push_target import RefState, SummaryChoice
    from ostrya.repo.repository import Repository


class BucketTarget(ArchiveTarget):
    """A ``PushTarget`` in a bucket."""

    def __init__(self, store: BucketStore) -> None:
        super().__init__(store)
        self._mark = Mark(store, PUSH)
        self._is_marked = False

    def prepare(self, source: Repository, choice: SummaryChoice, *, dry_run: bool) -> None:
        """Read its settings; make an archive where there is nothing.

        Raises:
            BucketBusy: It is being pruned.
        """
        super().prepare(source, choice, dry_run=dry_run)
        if not dry_run:
            self._is_marked = True
            self._mark.set()

    def on_step(self) -> None:
        """Go on only while no prune can have passed."""
        self._mark.require_fresh()

    def write_ref(self, ref: str, checksum: Checksum, seen: RefState, *, force: bool) -> None:
        """Let a ref point to a commit, if it is still as it was seen, and no prune has passed."""
        self._mark.require_fresh()
        super().write_ref(ref, checksum, seen, force=force)

    def close(self) -> None:
        """Take the mark away."""
        if self._is_marked:
            # What went wrong before is what the user has to hear of.
            with suppress(BucketError):
                self._mark.remove()
        super().close()


def bucket_target(address: str, options: BucketOptions) -> BucketTarget:
    """Return the target at ``s3://bucket/prefix``."""
    return BucketTarget(open_bucket(address, options))
