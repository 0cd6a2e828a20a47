# SPDX-License-Identifier: Apache-2.0
"""Commits that arrive: judged by their signature, their bindings and their age, then written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from ostrya.errors import FormatError
from ostrya.formats.commit import Commit
from ostrya.formats.commitmeta import decode_commitmeta
from ostrya.pull.errors import OlderCommit
from ostrya.repo.bindings import check_bindings
from ostrya.repo.detached import read_detached_bytes, write_detached_bytes
from ostrya.repo.partial import mark_partial
from ostrya.repo.reader import load_commit, load_commit_bytes

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.gvariant.vardict import VarDict
    from ostrya.pull.planner import Wanted
    from ostrya.repo.transaction import Transaction


class CommitJudge(Protocol):
    """Says whether a commit is signed as the remote's settings ask for."""

    def check(self, checksum: Checksum, data: bytes, detached: VarDict | None) -> None:
        """Verify the signatures of a commit.

        Raises:
            OstryaError: None is good.
        """


class CommitRules:
    """What a commit has to be, besides signed.

    Attributes:
        refs: The refs that each commit was asked for by.
        collection_id: The collection of the remote.
        verify_bindings: Whether it must belong where it was found.
        newer_than: By commit: those that it may not be older than.
    """

    def __init__(
        self,
        refs: dict[Checksum, list[str]],
        collection_id: str | None,
        *,
        verify_bindings: bool,
        newer_than: dict[Checksum, list[Checksum]],
    ) -> None:
        self.refs = refs
        self.collection_id = collection_id
        self.verify_bindings = verify_bindings
        self.newer_than = newer_than


class CommitWriter:
    """Takes commits into a transaction."""

    __slots__ = ("_judge", "_repo", "_rules", "_tx")

    def __init__(self, tx: Transaction, judge: CommitJudge, rules: CommitRules) -> None:
        self._tx = tx
        self._repo = tx.repo
        self._judge = judge
        self._rules = rules

    def take(self, wanted: Wanted, data: bytes, detached: bytes | None) -> Commit:
        """Verify a commit that arrived, and write it with its detached metadata.

        Raises:
            OstryaError: It is refused, or no commit.
        """
        name = wanted.name
        try:
            commit = Commit.decode(data)
        except FormatError as exc:
            exc.put_first(str(name))
            raise
        metadata = _decode(detached)
        self._judge.check(name.checksum, data, metadata)
        self._check(wanted, commit)
        # Before the commit can be seen: until all it holds is here as well.
        mark_partial(self._repo, name.checksum)
        if detached is not None and metadata is not None:
            write_detached_bytes(self._repo, name.checksum, detached)
        self._tx.writer.store_metadata(name, data)
        return commit

    def take_present(self, wanted: Wanted, commit: Commit, detached: bytes | None) -> None:
        """Verify a commit that was here before, with signatures that are here or came now.

        Raises:
            OstryaError: It is refused.
        """
        checksum = wanted.name.checksum
        present = read_detached_bytes(self._repo, checksum)
        arrived = _decode(detached)
        metadata = _decode(present) if arrived is None else arrived
        self._judge.check(checksum, load_commit_bytes(self._repo, checksum), metadata)
        self._check(wanted, commit)
        if detached is not None and arrived is not None and detached != present:
            write_detached_bytes(self._repo, checksum, detached)

    def _check(self, wanted: Wanted, commit: Commit) -> None:
        checksum = wanted.name.checksum
        rules = self._rules
        if rules.verify_bindings:
            for ref in rules.refs.get(checksum) or (None,):
                check_bindings(commit.metadata, checksum, rules.collection_id, ref)
        for other in rules.newer_than.get(checksum, ()):
            require_newer(checksum, commit, other, load_commit(self._repo, other))


def _decode(detached: bytes | None) -> VarDict | None:
    """Decode detached metadata; None if it is none: what cannot be read vouches for nothing."""
    if detached is None:
        return None
    try:
        return decode_commitmeta(detached)
    except FormatError:
        return None


def require_newer(checksum: Checksum, commit: Commit, other: Checksum, current: Commit) -> None:
    """Refuse a commit that is older than another one.

    Raises:
        OlderCommit: It is.
    """
    if commit.timestamp >= current.timestamp:
        return
    raise OlderCommit(
        f"Upgrade target revision '{checksum}' with timestamp '{_date(commit.timestamp)}' is "
        f"chronologically older than current revision '{other}' with timestamp "
        f"'{_date(current.timestamp)}'; use --allow-downgrade to permit"
    )


def _date(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%a %b %e %H:%M:%S %Y")
