# SPDX-License-Identifier: Apache-2.0
"""The folder that a repository is kept in: settings, what is published, what is staged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.keyring import Keyring, read_bounded
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.file_names import role_file, root_file
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.root import Root, read_root
from ostrya.uptane.metadata.signed import Envelope, parse_envelope
from ostrya.uptane.metadata.snapshot import Snapshot, read_snapshot
from ostrya.uptane.metadata.targets import Targets, read_targets
from ostrya.uptane.metadata.timestamp import Timestamp, read_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SETTINGS, KEYS, STAGED, REPOSITORY = "author.json", "keys", "staged", "repository"
MAX_METADATA_BYTES = 64 * 1024 * 1024
DAYS = {"root": 365, "targets": 365, "snapshot": 31, "timestamp": 7, "offline-updates": 365,
        "offline-snapshot": 365}  # fmt: skip
"""For how long metadata is to be believed, unless something else is said."""
_MAX_DAYS = 36500


class Settings(NamedTuple):
    """What is decided once.

    Attributes:
        dialect: How metadata is spelled.
        days: For how long it is to be believed, by role.
        is_director: It is a Director, and signs what a lockbox needs.
    """

    dialect: Dialect
    days: Mapping[str, int]
    is_director: bool = False


class Workplace:
    """An open folder.

    Attributes:
        folder: Its path.
        settings: What was decided when it was made.
        keyring: The secret keys that are here.
    """

    def __init__(self, folder: str, settings: Settings, key_folders: Sequence[str] = ()) -> None:
        self.folder = folder
        self.settings = settings
        self.keyring = Keyring((os.path.join(folder, KEYS), *key_folders))

    @property
    def dialect(self) -> Dialect:
        """How metadata is spelled."""
        return self.settings.dialect

    def path(self, *parts: str) -> str:
        """Return a path below the folder."""
        return os.path.join(self.folder, *parts)

    # ------------------------------------------------------------------------- published

    def root_version(self) -> int:
        """Return the version of the newest root that is published; 0 for none."""
        version = 0
        while os.path.exists(self.path(REPOSITORY, root_file(version + 1))):
            version += 1
        return version

    def root(self) -> Root:
        """Return the newest root that is published.

        Raises:
            AuthoringError: There is none.
        """
        return read_root(self.root_envelope().signed, self.dialect)

    def root_envelope(self) -> Envelope:
        """Return the newest root that is published, with its signatures.

        Raises:
            AuthoringError: There is none.
        """
        version = self.root_version()
        if not version:
            raise AuthoringError(
                f"{self.folder} has no root yet",
                hint="`ostrya ota targets sign` with the keys of the root makes it",
            )
        return self._read(self.path(REPOSITORY, root_file(version)))

    def published(self, role: str) -> Envelope | None:
        """Return what is published for a role other than root; None for nothing."""
        version = self._listed_version(role)
        path = self.path(REPOSITORY, self.file(role, version))
        return self._read(path) if os.path.exists(path) else None

    def file(self, role: str, version: int) -> str:
        """Return the name of a role's file in the repository."""
        if role == Role.TIMESTAMP.value:
            return "timestamp.json"
        return role_file(self.dialect, self.root(), role, version)

    def _listed_version(self, role: str) -> int:
        if not self.root().consistent_snapshot or role == Role.TIMESTAMP.value:
            return 0
        timestamp = self.timestamp()
        if role == Role.SNAPSHOT.value:
            return timestamp.snapshot.version if timestamp else 0
        snapshot = self.snapshot()
        listed = snapshot.meta.get(f"{role}.json") if snapshot else None
        return listed.version if listed else 0

    def timestamp(self) -> Timestamp | None:
        """Return the timestamp that is published."""
        found = self.published(Role.TIMESTAMP.value)
        return read_timestamp(found.signed, self.dialect) if found else None

    def snapshot(self) -> Snapshot | None:
        """Return the snapshot that is published."""
        found = self.published(Role.SNAPSHOT.value)
        return read_snapshot(found.signed, self.dialect) if found else None

    def write_published(self, name: str, data: bytes) -> None:
        """Publish a file; it survives a power cut."""
        self._write(REPOSITORY, name, data)

    # ---------------------------------------------------------------------------- staged

    def staged_roles(self) -> tuple[str, ...]:
        """Return the roles of which something is staged, Targets before whom they trust."""
        folder = self.path(STAGED)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        roles = [one.removesuffix(".json") for one in names if one.endswith(".json")]
        return tuple(sorted(roles, key=lambda one: (one != Role.TARGETS.value, one)))

    def staged(self, role: str) -> Envelope | None:
        """Return what is staged for a role; None for nothing."""
        path = self.path(STAGED, f"{role}.json")
        return self._read(path) if os.path.exists(path) else None

    def stage(self, role: str, envelope: Envelope) -> None:
        """Stage something, in place of what was staged for the role."""
        self._write(STAGED, f"{role}.json", envelope.to_bytes())

    def unstage(self, role: str) -> None:
        """Forget what is staged for a role."""
        if os.path.exists(self.path(STAGED, f"{role}.json")):
            os.unlink(self.path(STAGED, f"{role}.json"))

    def newest(self, role: str) -> Envelope | None:
        """Return what is staged for a role, or else what is published; None for nothing."""
        return self.staged(role) or self.published(role)

    def newest_root(self) -> Root:
        """Return the root that is staged, or else the one that is published."""
        staged = self.staged(Role.ROOT.value)
        return read_root(staged.signed, self.dialect) if staged else self.root()

    def newest_targets(self, role: str = Role.TARGETS.value) -> Targets | None:
        """Return the newest Targets of a role, staged or published; None for none."""
        found = self.newest(role)
        return read_targets(found.signed, self.dialect, role) if found else None

    def _read(self, path: str) -> Envelope:
        return parse_envelope(
            read_bounded(path, MAX_METADATA_BYTES), self.dialect, MAX_METADATA_BYTES, path
        )

    def _write(self, area: str, name: str, data: bytes) -> None:
        path = self.path(area, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        dir_fd = open_dir(self.path(area), follow=True)
        try:
            replace_file(name, data, dir_fd=dir_fd)
        finally:
            os.close(dir_fd)


def make_workplace(folder: str, settings: Settings) -> None:
    """Make a folder for a repository.

    Raises:
        AuthoringError: There is one already.
    """
    if os.path.exists(os.path.join(folder, SETTINGS)):
        raise AuthoringError(
            f"{folder} is kept already", hint="new keys come by `ostrya ota keys rotate`"
        )
    for name in (KEYS, STAGED, REPOSITORY):
        os.makedirs(
            os.path.join(folder, name), mode=0o700 if name == KEYS else 0o777, exist_ok=True
        )
    value = ascii_bytes(
        {
            "dialect": settings.dialect.value,
            "days": dict(settings.days),
            "director": settings.is_director,
        }
    )
    dir_fd = open_dir(folder, follow=True)
    try:
        replace_file(SETTINGS, value, dir_fd=dir_fd)
    finally:
        os.close(dir_fd)


def open_workplace(folder: str, key_folders: Sequence[str] = ()) -> Workplace:
    """Open a folder that a repository is kept in.

    Args:
        folder: Its path.
        key_folders: Where secret keys are beside those in it.

    Raises:
        AuthoringError: It is none, or one of the folders of keys is not there.
    """
    path = os.path.join(folder, SETTINGS)
    if not os.path.exists(path):
        raise AuthoringError(
            f"no repository is kept in {folder}",
            hint="--dir names the folder; `ostrya ota keys create` makes one",
        )
    for one in key_folders:
        if not os.path.isdir(one):
            raise AuthoringError(
                f"there is no folder of keys {one}", hint="is the medium in place?"
            )
    fields = Fields(parse_json(read_bounded(path), 64 * 1024, path), path)
    names = {one.value: one for one in Dialect}
    name = fields.text("dialect")
    if name not in names:
        raise fields.wrong("dialect", f"{name!r}, which is not known")
    days = Fields(fields.mapping("days"), f"'days' of {path}")
    found = {role: days.integer(role, 1, _MAX_DAYS) for role in DAYS if days.has(role)}
    settings = Settings(names[name], {**DAYS, **found}, fields.boolean("director"))
    return Workplace(folder, settings, key_folders)
