# SPDX-License-Identifier: Apache-2.0
"""What came of a pull from another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.refs import CollectionRef
    from ostrya.pull.way import WaysTo
    from ostrya.sign.gpg_status import GpgSignature


class Vouched(NamedTuple):
    """Who vouches for a commit, as far as a remote's settings ask.

    Attributes:
        gpg: All OpenPGP signatures, good or not; at least one is. Empty where none is asked for.
        sentence: Whose plain key made a good signature; None where none is asked for.
    """

    gpg: tuple[GpgSignature, ...] = ()
    sentence: str | None = None


class PullResult(NamedTuple):
    """What was pulled.

    Attributes:
        metadata_fetched: Commits, directories and their metadata that came over the network.
        content_fetched: Files and links that did.
        metadata_imported: Those that were taken from a repository on this machine.
        content_imported: Likewise.
        content_bytes_written: Bytes of files that had to be written.
        bytes_transferred: Bytes that came over the network.
        is_local: Whether the remote itself is on this machine.
        refs: The refs that were set, and the commits they point to.
        delta_parts_fetched: Parts of static deltas that were applied.
        plan: Of a pull that was not made: what its deltas come to, in one sentence.
        ways: Of a pull that was not made: what each way to each commit costs.
        vouched: Who vouches for each commit, where the remote's settings ask for it.
    """

    metadata_fetched: int
    content_fetched: int
    metadata_imported: int
    content_imported: int
    content_bytes_written: int
    bytes_transferred: int
    is_local: bool
    refs: dict[CollectionRef, Checksum]
    delta_parts_fetched: int = 0
    plan: str | None = None
    ways: tuple[WaysTo, ...] | None = None
    vouched: dict[Checksum, Vouched] = {}  # noqa: RUF012  # never changed
