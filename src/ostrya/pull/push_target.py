# SPDX-License-Identifier: Apache-2.0
"""What a place to push to has to offer, and what it is told and tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import PushRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.object_name import ObjectName
    from ostrya.progress import ProgressSink
    from ostrya.pull.push_walk import Shipment
    from ostrya.repo.packing import Packed
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer


class RefState(NamedTuple):
    """A ref of a target as it was seen.

    Attributes:
        checksum: Where it points to; None if there is no such ref.
        tag: Of this version of it, in the target's own words.
    """

    checksum: Checksum | None
    tag: str = ""


class SummaryChoice(NamedTuple):
    """What is to become of the target's summary.

    Attributes:
        wanted: Write it even where there is none yet.
        copied: Take the source's own, with its signature, instead of making one.
        signers: Who signs a new one.
    """

    wanted: bool = False
    copied: bool = False
    signers: tuple[Signer, ...] = ()


class Sent(NamedTuple):
    """What went to the target.

    Attributes:
        metadata: Commits, directories and their metadata that it did not have.
        content: Files and links that it did not have.
        detached: Dictionaries beside commits, with signatures for instance, that it had otherwise.
        bytes: Of all these, as an archive keeps them; of a directory, bytes of content written.
    """

    metadata: int = 0
    content: int = 0
    detached: int = 0
    bytes: int = 0


class ObjectSink(Protocol):
    """Takes objects from many threads at once; each appears whole or not at all."""

    def present(self, names: Sequence[ObjectName]) -> Iterable[ObjectName]:
        """Say which of some objects, whose checksums begin alike, are there."""

    def put(self, name: ObjectName, packed: Packed) -> int:
        """Store an object, and return how many bytes were sent."""

    def read_detached(self, checksum: Checksum) -> bytes | None:
        """Return the detached metadata of a commit, None if there is none."""


class PushTarget(Protocol):
    """A place to push to.

    Attributes:
        shown: Its address, for messages.
    """

    shown: str

    def prepare(self, source: Repository, choice: SummaryChoice, *, dry_run: bool) -> None:
        """Look whether this is a repository that can be pushed to; make it where there is nothing.

        Args:
            source: Where the push comes from.
            choice: What is to become of the summary.
            dry_run: Make nothing.

        Raises:
            PushRefused: It cannot be pushed to.
        """

    def read_ref(self, ref: str) -> RefState:
        """Look up a ref."""

    def has_commit(self, checksum: Checksum) -> bool:
        """Say whether a commit is there with all that it holds."""

    def send(
        self, source: Repository, shipment: Shipment, jobs: int, progress: ProgressSink
    ) -> Sent:
        """Make commits present there, children before parents."""

    def count_missing(self, shipment: Shipment, jobs: int) -> Sent:
        """Count what ``send`` would send; bytes stay zero."""

    def write_ref(self, ref: str, checksum: Checksum, seen: RefState, *, force: bool) -> None:
        """Let a ref point to a commit, if it is still as it was seen.

        Raises:
            RefMoved: It is not.
        """

    def write_summary(self, source: Repository, choice: SummaryChoice) -> str:
        """Bring the summary up to date after refs were written, and say what was done.

        Returns:
            ``written``, ``copied``, ``none`` where there is none and none is wanted, or
            ``signed`` where somebody else's signature on it would be lost.
        """

    def close(self) -> None:
        """Let go of it."""


def require_no_conflict(ref: str, others: Iterable[str], shown: str) -> None:
    """Refuse a new ref that would be the folder of another one, or lie in one.

    Raises:
        PushRefused: One stands in its way.
    """
    for other in others:
        if other.startswith(f"{ref}/") or ref.startswith(f"{other}/"):
            raise PushRefused(
                f"ref {ref} of {shown} cannot be made: there is a ref {other}",
                hint="a ref cannot be the folder of another one",
            )
