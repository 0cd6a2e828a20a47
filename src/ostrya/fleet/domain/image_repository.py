# SPDX-License-Identifier: Apache-2.0
"""The Image repository: what there is, who said so, and kept fresh.

It lies in a workplace of `ostrya ota`. Snapshot and timestamp are made here whenever something is
published or little of their time is left. Targets and root are signed here too if their keys are
here, or come signed from where they are. All that comes is staged and published together, or not at
all; what clients would refuse is never published.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ostrya._linux.flock import try_lock, unlock
from ostrya.errors import UptaneError
from ostrya.fleet.errors import BadRequest, Conflict, NotFound, NotNow, Unavailable
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author import delegate, images, roles
from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.workplace import REPOSITORY
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.file_names import root_file
from ostrya.uptane.metadata.header import read_header
from ostrya.uptane.metadata.root import read_root
from ostrya.uptane.metadata.signed import parse_envelope
from ostrya.uptane.metadata.targets import Image, Targets, read_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostrya.uptane.author.workplace import Workplace
    from ostrya.uptane.metadata.signed import Envelope

_ROOT, _TARGETS = Role.ROOT.value, Role.TARGETS.value
_TIMESTAMP, _SNAPSHOT = "timestamp.json", "snapshot.json"
_LOCK_PAUSE_S, _LOCK_TIMEOUT_S = 0.01, 60.0
_TARGETS_LEFT, _ROOT_LEFT = timedelta(days=1), timedelta(days=30)


class _Known(NamedTuple):
    stamp: tuple[int, int, int]
    data: bytes


class Pushed(NamedTuple):
    """What somebody signed elsewhere.

    Attributes:
        roots: Roots, the oldest first.
        targets: Empty for those that are there.
        delegations: Of roles that Targets trust.
        expected: The SHA-256 of the Targets that this comes after; empty to ask for none.
    """

    roots: tuple[bytes, ...] = ()
    targets: bytes = b""
    delegations: Mapping[str, bytes] = {}
    expected: str = ""


class ImageRepository:
    """The open repository; used from many threads.

    Attributes:
        work: Its workplace.
    """

    def __init__(self, work: Workplace, *, max_bytes: int, refresh_before: timedelta) -> None:
        """Begin with a workplace.

        Args:
            work: Where it is.
            max_bytes: How large a file of metadata may be.
            refresh_before: With how much of its time left a file is signed anew.
        """
        self.work = work
        self._max_bytes = max_bytes
        self._refresh_before = refresh_before
        self._files: dict[str, _Known] = {}
        self._mutex = threading.Lock()
        self._targets: tuple[object, dict[str, Image]] = (None, {})
        self._fresh: tuple[object, datetime | None] = (None, None)

    # --------------------------------------------------------------------------- reading

    def read(self, name: str) -> bytes | None:
        """Return a file of metadata as it is now, None if there is none.

        A look at the disk is all that it costs, so that whoever publishes beside the server need
        not tell it.
        """
        path = self.work.path(REPOSITORY, name)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._files.get(name)
        if known is not None and known.stamp == stamp:
            return known.data
        try:
            with open(path, "rb") as stream:
                data = stream.read(self._max_bytes + 1)
        except (FileNotFoundError, IsADirectoryError):
            return None
        if len(self._files) > 4096:
            self._files.clear()
        self._files[name] = _Known(stamp, data)
        return data

    def needs_refresh(self, now: datetime) -> bool:
        """Say whether little is left of the time of snapshot or timestamp."""
        data = self.read(_TIMESTAMP)
        if data is None:
            return True
        if self._fresh[0] is not data:
            first = min(self._expires(name) for name in (_TIMESTAMP, _SNAPSHOT))
            self._fresh = (data, first - self._refresh_before)
        until = self._fresh[1]
        return until is None or now >= until

    def _expires(self, name: str) -> datetime:
        work = self.work
        found = work.timestamp() if name == _TIMESTAMP else work.snapshot()
        if found is None:
            raise NotFound(f"the Image repository has no {name}")
        return found.header.expires

    def all_images(self) -> Mapping[str, Image]:
        """Return all images that are published, those of other roles too."""
        stamp = self.read(_TIMESTAMP)
        if self._targets[0] is not stamp:
            found: dict[str, Image] = {}
            for role in self.role_names():
                envelope = self.work.published(role)
                if envelope is not None:
                    read = read_targets(envelope.signed, self.work.dialect, role)
                    # Targets come first, and what they say counts.
                    found = {**read.images, **found}
            self._targets = (stamp, found)
        return self._targets[1]

    def role_names(self) -> tuple[str, ...]:
        """Return Targets and all roles that the snapshot lists."""
        snapshot = self.work.snapshot()
        names = [one.removesuffix(".json") for one in snapshot.meta] if snapshot else []
        return tuple(sorted(names, key=lambda one: (one != _TARGETS, one)))

    def checksum(self) -> str:
        """Return the SHA-256 of the Targets that are published; empty for none."""
        envelope = self.work.published(_TARGETS)
        return hashlib.sha256(envelope.to_bytes()).hexdigest() if envelope else ""

    def is_here(self, role: str) -> bool:
        """Say whether a role can be signed for here."""
        root = self.work.root()
        keys = root.keys_of(role).values()
        here = [one for one in keys if self.work.keyring.find(one) is not None]
        return len(here) >= root.role(role).threshold

    # --------------------------------------------------------------------------- changing

    @contextmanager
    def change(self) -> Iterator[Workplace]:
        """Lend the workplace to be changed; what is staged and not published is forgotten.

        Raises:
            Unavailable: Another process has it for too long.
        """
        path = self.work.path(".lock")
        with self._mutex:
            lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _wait_for(lock_fd)
                self.work.keyring.look_again()
                try:
                    yield self.work
                finally:
                    for role in self.work.staged_roles():
                        self.work.unstage(role)
                    unlock(lock_fd)
            finally:
                os.close(lock_fd)

    def publish_staged(self, work: Workplace, now: datetime) -> tuple[str, ...]:
        """Publish what is staged, with a new snapshot and timestamp.

        Raises:
            Conflict: It has too few signatures, and keys for more are not here.
        """
        done = publish(work, now)
        if done.missing:
            lacking = ", ".join(
                f"{one.role} ({one.signed_by} of {one.threshold})" for one in done.missing
            )
            raise Conflict(
                f"too few keys signed {lacking}",
                code="unmet_threshold",
                hint="its keys are not on the server: sign it where they are, and push it",
            )
        return done.files

    def refresh(self, now: datetime) -> tuple[str, ...]:
        """Sign anew what has little time left and has its keys here; return what was written."""
        if not self._is_due(now):
            return ()
        with self.change() as work:
            if not self._is_due(now):
                return ()
            for role, left in ((_ROOT, _ROOT_LEFT), (_TARGETS, _TARGETS_LEFT)):
                if self._expires_within(role, now, left) and self.is_here(role):
                    roles.renew(work, role, now)
            return self.publish_staged(work, now)

    def _is_due(self, now: datetime) -> bool:
        return self.needs_refresh(now) or any(
            self._expires_within(role, now, left) and self.is_here(role)
            for role, left in ((_ROOT, _ROOT_LEFT), (_TARGETS, _TARGETS_LEFT))
        )

    def _expires_within(self, role: str, now: datetime, left: timedelta) -> bool:
        found = self.work.root_envelope() if role == _ROOT else self.work.published(role)
        if found is None:
            return False
        kind = Role.ROOT if role == _ROOT else Role.TARGETS
        header = read_header(Fields(found.signed, role), self.work.dialect, kind)
        return header.expires - now <= left

    def push(self, pushed: Pushed, now: datetime) -> tuple[str, ...]:
        """Publish what was signed elsewhere; return what was written.

        Raises:
            NotNow: The Targets are not those that it comes after.
            Conflict: It is not newer, or has too few signatures.
            BadRequest: It is no metadata.
        """
        with self.change() as work:
            if pushed.expected and pushed.expected.lower() != self.checksum():
                raise NotNow(
                    "the Targets of the server are not those that these come after",
                    code="role_checksum_mismatch",
                    hint="somebody else pushed: fetch targets.json, and begin from it",
                )
            try:
                written = self._push_roots(work, pushed.roots, now, alone=not pushed.targets)
                staged = self._stage_pushed(work, pushed)
                if not staged and not work.staged_roles():
                    return written
                return (*written, *self.publish_staged(work, now))
            except AuthoringError as exc:
                raise Conflict(exc.message, hint=exc.hint) from exc
            except UptaneError as exc:
                raise BadRequest(exc.message, code="invalid_metadata", hint=exc.hint) from exc

    def _push_roots(
        self, work: Workplace, roots: tuple[bytes, ...], now: datetime, *, alone: bool
    ) -> tuple[str, ...]:
        written: tuple[str, ...] = ()
        for number, data in enumerate(roots):
            envelope = parse_envelope(data, work.dialect, self._max_bytes, _ROOT)
            version = read_root(envelope.signed, work.dialect).header.version
            there = self.read(root_file(version))
            if there is not None:
                if there != envelope.to_bytes():
                    raise Conflict(f"there is another root {version} already")
                continue
            if version != work.root_version() + 1:
                raise Conflict(f"root {version} does not follow {work.root_version()}")
            work.stage(_ROOT, envelope)
            # The last one goes out together with what its new keys signed.
            if alone or number + 1 < len(roots):
                written = (*written, *self.publish_staged(work, now))
        return written

    def _stage_pushed(self, work: Workplace, pushed: Pushed) -> bool:
        staged = False
        files = {_TARGETS: pushed.targets} if pushed.targets else {}
        for role, data in {**files, **pushed.delegations}.items():
            envelope = parse_envelope(data, work.dialect, self._max_bytes, role)
            targets = read_targets(envelope.signed, work.dialect, role)
            before = work.published(role)
            if before is not None and before.to_bytes() == envelope.to_bytes():
                continue
            _check_newer(role, targets, before)
            work.stage(role, envelope)
            staged = True
        return staged

    # ---------------------------------------------------------------------------- images

    def image_path(self, name: str) -> str:
        """Return where an image that is a file lies.

        Raises:
            NotFound: Nothing may have that name.
        """
        try:
            images.check_new_name(self.work, name)
        except UptaneError as exc:
            raise NotFound(f"there is no image {name[:200]!r}") from exc
        return self.work.path(REPOSITORY, "targets", name)

    def add(
        self, name: str, source: str, about: images.About, now: datetime, *, is_commit: bool
    ) -> Image:
        """Publish an image, signed by the keys of Targets that are here.

        Args:
            name: Of the image.
            source: Path of its file, or checksum of its commit.
            about: What else is said of it.
            now: What the time is.
            is_commit: Whether it is a commit.

        Raises:
            Conflict: There is another one, or the keys are not here.
            BadRequest: It cannot be said so.
        """
        with self.change() as work:
            try:
                add = images.add_commit if is_commit else images.add_file
                image = add(work, name, source, about, now)
            except AuthoringError as exc:
                raise Conflict(exc.message, code="target_not_taken", hint=exc.hint) from exc
            except UptaneError as exc:
                raise BadRequest(exc.message, code="invalid_target", hint=exc.hint) from exc
            self.publish_staged(work, now)
            return image

    def remove(self, name: str, now: datetime) -> None:
        """Publish Targets without an image.

        Raises:
            NotFound: There is none.
            Conflict: The keys of Targets are not here.
        """
        with self.change() as work:
            try:
                images.remove(work, name, now)
            except AuthoringError as exc:
                raise NotFound(exc.message, code="missing_target") from exc
            self.publish_staged(work, now)

    def trusted_roles(self) -> tuple[str, ...]:
        """Return the roles that Targets trust."""
        return tuple(name for one in delegate.roles(self.work) for name, _ in one.members)


def _check_newer(role: str, targets: Targets, before: Envelope | None) -> None:
    version = before.signed["version"] if before else 0
    if isinstance(version, int) and targets.header.version <= version:
        raise Conflict(
            f"{role} has version {targets.header.version}, and {version} is published",
            code="version_not_higher",
            hint="clients refuse what is not newer: raise the version",
        )


def _wait_for(lock_fd: int) -> None:
    import time

    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while not try_lock(lock_fd, exclusive=True):
        if time.monotonic() > deadline:
            raise Unavailable("the Image repository is being changed by another process")
        time.sleep(_LOCK_PAUSE_S)
