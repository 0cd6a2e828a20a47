# SPDX-License-Identifier: Apache-2.0
"""Pushing to an archive that lies as plain files in a place of few words: a bucket, or sftp."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from ostrya.errors import FormatError, OstryaError
from ostrya.formats.checksum import Checksum, check_checksum
from ostrya.formats.commit import Commit
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.formats.refs import check_ref_name, is_ref_name
from ostrya.formats.summary import Summary, SummaryRef, summary_ref
from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import PushFailed, PushRefused, RefMoved
from ostrya.pull.parallel import DEFAULT_JOBS, each
from ostrya.pull.push_send import count_missing, send_objects
from ostrya.pull.push_signed import read_source_summary, sign_summary
from ostrya.pull.push_summary import TargetFacts, renew_summary
from ostrya.pull.push_target import RefState, Sent, SummaryChoice, require_no_conflict
from ostrya.repo.config import MAX_CONFIG_BYTES, initial_config, parse_config
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import MAX_METADATA_BYTES, load_commit_bytes
from ostrya.repo.summary import MAX_SUMMARY_BYTES, SUMMARY_SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ostrya.progress import ProgressSink
    from ostrya.pull.push_walk import Shipment
    from ostrya.repo.packing import Packed
    from ostrya.repo.repository import Repository

_MAX_REF_BYTES = 4096
_HEADS = "refs/heads"
# From so many names on, listing all that begin alike is cheaper than asking for each.
_LIST_FROM = 4
_SUMMARY_TRIES = 10


class Stored(NamedTuple):
    """A small file, and the tag of this version of it."""

    data: bytes
    tag: str


class RemoteFiles(Protocol):
    """Files below one place; used from many threads at once.

    Attributes:
        shown: The place's address, for messages.
    """

    shown: str

    def read(self, path: str, max_bytes: int) -> tuple[bytes, str] | None:
        """Return a file and the tag of this version of it, None if it is not there."""

    def exists(self, path: str) -> bool:
        """Say whether there is such a file."""

    def list(self, folder: str) -> Iterable[str]:
        """Give the paths of all files below a folder."""

    def put(self, path: str, packed: Packed) -> None:
        """Write a file; it appears whole, in place of what was there."""

    def replace(self, path: str, data: bytes, tag: str | None) -> bool:
        """Write a small file if it still has a tag, or is still not there for None."""

    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""

    def make_layout(self) -> None:
        """Make the folders that a repository has, where there are folders."""

    def close(self) -> None:
        """Let go of it."""


class ArchiveTarget:
    """A ``PushTarget`` made of plain files.

    Attributes:
        shown: Its address.
        files: The place.
    """

    def __init__(self, files: RemoteFiles) -> None:
        self.files = files
        self.shown = files.shown
        self._facts = TargetFacts(RepoMode.ARCHIVE.value)
        self._is_new = False

    def prepare(self, source: Repository, choice: SummaryChoice, *, dry_run: bool) -> None:
        """Read its settings; make an archive where there is nothing."""
        if choice.copied:
            # Missing, it is missed before anything is sent.
            read_source_summary(source)
        found = self._read("config", MAX_CONFIG_BYTES)
        if found is None:
            self._require_room()
            self._is_new = True
            collection_id = source.config.collection_id
            self._facts = TargetFacts(RepoMode.ARCHIVE.value, collection_id)
            if dry_run:
                return
            # What everything else means hangs on it, so it comes first; never in place of another.
            self.files.make_layout()
            text = initial_config(RepoMode.ARCHIVE, collection_id)
            if not self.files.replace("config", text.encode(), None):
                found = self._read("config", MAX_CONFIG_BYTES)
        if found is not None:
            self._facts = _read_facts(found.data, self.shown)

    def _read(self, path: str, max_bytes: int) -> Stored | None:
        found = self.files.read(path, max_bytes)
        return None if found is None else Stored(*found)

    def _require_room(self) -> None:
        known = ("objects/", "refs/", "tmp/", "state/", "extensions/", ".lock", ".push-lock")
        for path in self.files.list(""):
            if not path.startswith(known):
                raise PushRefused(
                    f"{self.shown} is no repository, and holds other things: {path}",
                    hint="name a repository, or a place that is empty",
                )

    def read_ref(self, ref: str) -> RefState:
        """Look up a ref.

        Raises:
            PushRefused: Another ref stands in its way.
        """
        check_ref_name(ref)
        found = self._read(f"{_HEADS}/{ref}", _MAX_REF_BYTES)
        if found is None:
            require_no_conflict(ref, self._ref_names(), self.shown)
            return RefState(None)
        return RefState(_parse_ref(found.data, ref, self.shown), found.tag)

    def _ref_names(self) -> list[str]:
        paths = self.files.list(_HEADS)
        names = (path.removeprefix(f"{_HEADS}/") for path in paths)
        return sorted(name for name in names if is_ref_name(name))

    def has_commit(self, checksum: Checksum) -> bool:
        """Say whether a commit is there with all that it holds."""
        name = ObjectName(checksum, ObjectType.COMMIT)
        if not self.files.exists(object_path(name)):
            return False
        return not self.files.exists(f"state/{checksum}.commitpartial")

    def send(
        self, source: Repository, shipment: Shipment, jobs: int, progress: ProgressSink
    ) -> Sent:
        """Send what is not there."""
        sent = send_objects(self, source, shipment, jobs, progress, on_step=self.on_step)
        for checksum in shipment.commits:
            # Of a commit that somebody else left incomplete, all is there now.
            self.files.delete(f"state/{checksum}.commitpartial")
        return sent

    def on_step(self) -> None:
        """Be called now and then while objects are sent."""

    def count_missing(self, shipment: Shipment, jobs: int) -> Sent:
        """Count what is not there."""
        return count_missing(self, shipment, jobs)

    def present(self, names: Sequence[ObjectName]) -> Iterator[ObjectName]:
        """Say which of some objects, whose checksums begin alike, are there."""
        if len(names) < _LIST_FROM:
            yield from (name for name in names if self.files.exists(object_path(name)))
            return
        there = set(self.files.list(f"objects/{names[0].checksum[:2]}"))
        yield from (name for name in names if object_path(name) in there)

    def put(self, name: ObjectName, packed: Packed) -> int:
        """Store an object."""
        self.files.put(object_path(name), packed)
        return packed.size

    def read_detached(self, checksum: Checksum) -> bytes | None:
        """Return the detached metadata of a commit, None if there is none."""
        name = ObjectName(checksum, ObjectType.COMMIT_META)
        found = self._read(object_path(name), MAX_METADATA_BYTES)
        return None if found is None else found.data

    def write_ref(
        self,
        ref: str,
        checksum: Checksum,
        seen: RefState,
        *,
        force: bool,  # noqa: ARG002  # decided before
    ) -> None:
        """Let a ref point to a commit, if it is still as it was seen."""
        tag = None if seen.checksum is None else seen.tag
        if self.files.replace(f"{_HEADS}/{ref}", f"{checksum}\n".encode(), tag):
            return
        now = self.read_ref(ref).checksum
        if now != checksum:
            raise RefMoved(self.shown, ref, now)

    def write_summary(self, source: Repository, choice: SummaryChoice) -> str:
        """Bring the summary up to date, where there is one or one is wanted.

        Raises:
            RefMoved: Others write it all the time.
        """
        for _ in range(_SUMMARY_TRIES):
            done = self._try_summary(source, choice)
            if done:
                return done
        raise RefMoved(self.shown, "summary", None)

    def _try_summary(self, source: Repository, choice: SummaryChoice) -> str:
        """Write the summary, and say what was done; empty if somebody else came first."""
        old = self._read("summary", MAX_SUMMARY_BYTES)
        old_signatures = self._read(SUMMARY_SIGNATURES, MAX_METADATA_BYTES)
        refs: dict[str, Checksum] = {}
        if choice.copied:
            summary, signatures = read_source_summary(source)
        else:
            if old is None and not (choice.wanted or choice.signers):
                return "none"
            if old_signatures is not None and not choice.signers:
                return "signed"
            refs = self._read_refs()
            summary = self._build(source, old, refs)
            signatures = sign_summary(summary, choice.signers)
        if not self.files.replace("summary", summary, None if old is None else old.tag):
            return ""
        if signatures is not None:
            # After the summary: clients keep the summary that fits the signature they know.
            tag = None if old_signatures is None else old_signatures.tag
            if not self.files.replace(SUMMARY_SIGNATURES, signatures, tag):
                return ""
        elif old_signatures is not None:
            self.files.delete(SUMMARY_SIGNATURES)
        if choice.copied:
            return "copied"
        # Another pusher may have set a ref, and written its summary before this older one.
        return "written" if self._read_refs() == refs else ""

    def _build(self, source: Repository, old: Stored | None, refs: dict[str, Checksum]) -> bytes:
        def describe(name: str, checksum: Checksum) -> SummaryRef:
            data = self._commit_bytes(source, checksum)
            return summary_ref(name, checksum, len(data), Commit.decode(data))

        before = None
        if old is not None:
            try:
                before = Summary.decode(old.data)
            except FormatError as exc:
                exc.put_first(f"{self.shown}/summary")
                raise
        return renew_summary(before, refs, describe, self._facts, int(time.time())).encode()

    def _commit_bytes(self, source: Repository, checksum: Checksum) -> bytes:
        try:
            return load_commit_bytes(source, checksum)
        except ObjectNotFound:
            name = ObjectName(checksum, ObjectType.COMMIT)
            found = self._read(object_path(name), MAX_METADATA_BYTES)
            if found is None:
                raise
            return found.data

    def _read_refs(self) -> dict[str, Checksum]:
        def read(name: str) -> tuple[str, Stored | None]:
            return name, self._read(f"{_HEADS}/{name}", _MAX_REF_BYTES)

        return {
            name: _parse_ref(found.data, name, self.shown)
            for name, found in each(read, self._ref_names(), DEFAULT_JOBS)
            if found is not None
        }

    def close(self) -> None:
        """Let go of the place."""
        self.files.close()


def object_path(name: ObjectName) -> str:
    """Return where an object lies in an archive."""
    return f"objects/{loose_path(name, archive=True)}"


def _read_facts(data: bytes, shown: str) -> TargetFacts:
    try:
        config = parse_config(KeyFile.decode(data))
    except OstryaError as exc:
        exc.put_first(f"{shown}/config")
        raise
    if config.mode != RepoMode.ARCHIVE:
        raise PushRefused(
            f"{shown} is a repository in mode {config.mode}: only archives can be pushed to there",
            hint="ostrya push makes an archive at an address where there is nothing yet",
        )
    keyfile = config.keyfile
    return TargetFacts(
        keyfile.get_value("core", "mode"), config.collection_id, config.tombstone_commits
    )


def _parse_ref(data: bytes, ref: str, shown: str) -> Checksum:
    try:
        return check_checksum(data.decode(errors="replace").strip())
    except FormatError as exc:
        raise PushFailed(f"ref {ref} of {shown} holds no checksum: {exc.message}") from None
