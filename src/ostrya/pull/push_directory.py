# SPDX-License-Identifier: Apache-2.0
"""Pushing to a repository in a directory of this machine, of whatever mode."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import exists, unlink_if_exists
from ostrya._linux.rename import rename_new
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.errors import PushRefused, RefMoved
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.pull.push_lock import LOCK_NAME, MAX_WORD_BYTES, push_lock
from ostrya.pull.push_signed import read_source_summary
from ostrya.pull.push_target import RefState, Sent, SummaryChoice, require_no_conflict
from ostrya.repo.errors import RepoNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import is_partial, mark_partial
from ostrya.repo.reader import has_object
from ostrya.repo.ref_writer import refresh_summary_if_configured, store_ref
from ostrya.repo.refs import list_refs, resolve_ref
from ostrya.repo.repository import (
    Repository,
    create_repository,
    open_repository,
    require_writable,
)
from ostrya.repo.summary import SUMMARY_SIGNATURES, regenerate_summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.object_name import ObjectNameSet
    from ostrya.progress import ProgressSink
    from ostrya.pull.push_lock import LockFile
    from ostrya.pull.push_walk import Shipment
    from ostrya.repo.runtime import Runtime

# What is there of a repository whose making was cut short.
_BEGUN = frozenset({"config", "tmp", "extensions", "state", "refs"})


class DirectoryTarget:
    """A ``PushTarget`` in a directory.

    Attributes:
        shown: Its path.
    """

    def __init__(self, path: str, runtime: Runtime) -> None:
        self.shown = path
        self._runtime = runtime
        self._repo: Repository | None = None

    def prepare(self, source: Repository, choice: SummaryChoice, *, dry_run: bool) -> None:
        """Open the repository; make an archive where there is nothing."""
        if choice.copied:
            # Missing, it is missed before anything is sent.
            read_source_summary(source)
        try:
            self._repo = open_repository(self.shown, runtime=self._runtime)
        except RepoNotFound:
            self._require_room()
            if dry_run:
                return
            self._repo = create_repository(
                self.shown,
                RepoMode.ARCHIVE,
                collection_id=source.config.collection_id,
                runtime=self._runtime,
            )
        ours, theirs = os.fstat(source.dir_fd), os.fstat(self._repo.dir_fd)
        if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
            raise PushRefused(f"{self.shown} is the very repository to push from")
        if not dry_run:
            require_writable(self._repo)

    def _require_room(self) -> None:
        try:
            names = os.listdir(self.shown)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            names = [self.shown]
        if not all(name in _BEGUN or name.startswith("tmp.") for name in names):
            raise PushRefused(
                f"{self.shown} is no repository, and holds other things",
                hint="name a repository, or a directory that is empty or not there yet",
            )

    @property
    def _target(self) -> Repository:
        if self._repo is None:
            raise RuntimeError("the target was not prepared")
        return self._repo

    def read_ref(self, ref: str) -> RefState:
        """Look up a ref.

        Raises:
            PushRefused: Another ref stands in its way.
        """
        if self._repo is None:
            return RefState(None)
        found = None
        # What lies in a directory of that name is found below.
        with suppress(IsADirectoryError):
            found = resolve_ref(self._repo, None, ref, allow_noent=True, search_remotes=False)
        if found is None:
            others = list_refs(self._repo, include_remotes=False)
            require_no_conflict(ref, others, self.shown)
        return RefState(found)

    def has_commit(self, checksum: Checksum) -> bool:
        """Say whether a commit is there with all that it holds."""
        repo = self._repo
        name = ObjectName(checksum, ObjectType.COMMIT)
        return repo is not None and has_object(repo, name) and not is_partial(repo, checksum)

    def send(
        self, source: Repository, shipment: Shipment, jobs: int, progress: ProgressSink
    ) -> Sent:
        """Pull from here into there: linked where the modes allow it, else converted."""
        commits = (*shipment.known, *shipment.commits)
        if not commits:
            return Sent()
        for checksum in shipment.commits:
            if self.has_commit(checksum):
                # To be looked through again: what is missing of it is found only if it is partial.
                mark_partial(self._target, checksum)
        # A transaction of its own marks commits partial until all that they hold is there.
        done = pull_local(
            self._target,
            source,
            commits,
            # Whoever pulls from there would be the first to notice damage here.
            PullLocalOptions(untrusted=True, verify_bindings=False, keep_interrupted=True),
            jobs=min(jobs, os.cpu_count() or 1),
            progress=progress,
        )
        return Sent(done.metadata_imported, done.content_imported, bytes=done.content_bytes_written)

    def count_missing(self, shipment: Shipment, jobs: int) -> Sent:  # noqa: ARG002  # one is enough
        """Count what is not there."""
        return Sent(
            self._count(shipment.metadata) + len(shipment.commits), self._count(shipment.content)
        )

    def _count(self, names: ObjectNameSet) -> int:
        repo = self._repo
        return sum(1 for name in names if repo is None or not has_object(repo, name))

    def write_ref(
        self,
        ref: str,
        checksum: Checksum,
        seen: RefState,
        *,
        force: bool,  # noqa: ARG002  # decided before
    ) -> None:
        """Let a ref point to a commit, if it is still as it was seen."""
        with self._locked() as require_held:
            now = self.read_ref(ref).checksum
            if now == checksum:
                return
            if now != seen.checksum:
                raise RefMoved(self.shown, ref, now)
            require_held()
            store_ref(self._target, None, ref, checksum)
        refresh_summary_if_configured(self._target)

    def write_summary(self, source: Repository, choice: SummaryChoice) -> str:
        """Write the summary anew, where there is one or one is wanted."""
        repo = self._target
        with self._locked() as require_held:
            if choice.copied:
                self._copy_summary(source, require_held)
                return "copied"
            if not (choice.wanted or choice.signers or exists("summary", dir_fd=repo.dir_fd)):
                return "none"
            if exists(SUMMARY_SIGNATURES, dir_fd=repo.dir_fd) and not choice.signers:
                return "signed"
            regenerate_summary(repo, signers=choice.signers, before_write=require_held)
        return "written"

    def _copy_summary(self, source: Repository, require_held: Callable[[], None]) -> None:
        repo = self._target
        summary, signatures = read_source_summary(source)
        require_held()
        durable = repo.config.fsync
        replace_file("summary", summary, dir_fd=repo.dir_fd, durable=durable)
        if signatures is None:
            unlink_if_exists(SUMMARY_SIGNATURES, dir_fd=repo.dir_fd)
        else:
            replace_file(SUMMARY_SIGNATURES, signatures, dir_fd=repo.dir_fd, durable=durable)

    def _locked(self) -> AbstractContextManager[Callable[[], None]]:
        return push_lock(_LocalLock(self._target.dir_fd), self.shown, os.urandom(8).hex())

    def close(self) -> None:
        """Close the repository."""
        if self._repo is not None:
            self._repo.close()


class _LocalLock:
    """The lock's file in a directory that is open."""

    def __init__(self, dir_fd: int) -> None:
        self._dir_fd = dir_fd

    def create_lock(self, name: str, word: str) -> LockFile | None:
        try:
            fd = self._create(name)
        except FileExistsError:
            return None
        file = _LocalLockFile(fd, word)
        file.refresh()
        return file

    def _create(self, name: str) -> int:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        return os.open(name, flags, 0o644, dir_fd=self._dir_fd)

    def read_lock(self, name: str) -> str | None:
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._dir_fd)
        except FileNotFoundError:
            return None
        try:
            return os.read(fd, MAX_WORD_BYTES).decode("ascii", "replace")
        finally:
            os.close(fd)

    def lock_age_s(self, name: str) -> float | None:
        try:
            made = os.stat(name, dir_fd=self._dir_fd, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return None
        # Of a file system on the network, the clock is another machine's.
        probe = f"{LOCK_NAME}-{os.urandom(8).hex()}"
        fd = self._create(probe)
        try:
            return os.fstat(fd).st_mtime - made
        finally:
            os.close(fd)
            os.unlink(probe, dir_fd=self._dir_fd)

    def move_lock(self, name: str, new_name: str) -> bool:
        try:
            return rename_new(name, new_name, src_dir_fd=self._dir_fd, dst_dir_fd=self._dir_fd)
        except FileNotFoundError:
            return False

    def delete_lock(self, name: str) -> None:
        unlink_if_exists(name, dir_fd=self._dir_fd)


class _LocalLockFile:
    """A lock's file on a file system of this machine; it is open, so its name does not matter."""

    def __init__(self, fd: int, word: str) -> None:
        self._fd = fd
        self._word = word.encode("ascii")

    def refresh(self) -> None:
        os.pwrite(self._fd, self._word, 0)
        # Data may wait on its way to a server; this does not.
        os.utime(self._fd)

    def close(self) -> None:
        os.close(self._fd)
