# SPDX-License-Identifier: Apache-2.0
"""One repository, as far as it is trusted: bytes in, trusted metadata out.

A `Trusted` is a value. Each function here returns another one that trusts one more file, or
refuses; what refuses changes nothing, so whoever holds the old value goes on with it.

::

    open_trusted     from files that were kept
    accept_root      the next root, again and again, then finish_roots
    accept_timestamp
    accept_snapshot  unless has_newest_snapshot
    accept_targets
    accept_role      of whom Targets trust

Source: Uptane Standard 2.1.0, sections 5.4.4.3 to 5.4.4.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane import checks
from ostrya.uptane.errors import MetadataInvalid, MetadataMismatch, UptaneRefusal
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.file_names import meta_name
from ostrya.uptane.metadata.keys import identity
from ostrya.uptane.metadata.root import Root, read_root
from ostrya.uptane.metadata.signed import Envelope, parse_envelope
from ostrya.uptane.metadata.snapshot import Snapshot, read_snapshot
from ostrya.uptane.metadata.targets import Targets, read_targets
from ostrya.uptane.metadata.timestamp import Timestamp, read_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.uptane.metadata.keys import Key
    from ostrya.uptane.metadata.signed import RoleKeys
    from ostrya.uptane.metadata.snapshot import MetaFile

_ROOT, _TIMESTAMP = Role.ROOT.value, Role.TIMESTAMP.value
_SNAPSHOT, _TARGETS = Role.SNAPSHOT.value, Role.TARGETS.value


class Limits(NamedTuple):
    """How much is read of what a repository sends.

    Attributes:
        root_bytes: Of a root.
        timestamp_bytes: Of a timestamp.
        snapshot_bytes: Of a snapshot of which no length is told.
        targets_bytes: Of Targets.
        roots: How many new roots at once.
        delegation_depth: How many roles deep an image is searched.
        delegations: How many roles are asked for an image.
    """

    root_bytes: int = 512 * 1024
    timestamp_bytes: int = 64 * 1024
    snapshot_bytes: int = 2 * 1024 * 1024
    targets_bytes: int = 8 * 1024 * 1024
    roots: int = 1024
    delegation_depth: int = 8
    delegations: int = 64


DEFAULT_LIMITS = Limits()


class Trusted(NamedTuple):
    """What is trusted of a repository.

    Attributes:
        name: What it is called, for errors: director, image repository.
        dialect: How it spells metadata.
        root: Whose keys may sign what.
        timestamp: None if there is none yet, or its keys changed.
        snapshot: None if there is none yet, or its keys changed.
        targets: None if there are none yet, or their keys changed.
        files: What all of that was read from, by role; and Targets of roles that they trust.
        limits: How much is read.
        dropped: Files that were kept and are not trusted any more.
    """

    name: str
    dialect: Dialect
    root: Root
    timestamp: Timestamp | None
    snapshot: Snapshot | None
    targets: Targets | None
    files: Mapping[str, bytes]
    limits: Limits = DEFAULT_LIMITS
    dropped: tuple[str, ...] = ()

    def with_file(self, role: str, data: bytes) -> Trusted:
        """Return it with the file of a role."""
        return self._replace(files={**self.files, role: data})

    def without_files(self, *roles: str) -> Trusted:
        """Return it without the files of some roles."""
        kept = {name: data for name, data in self.files.items() if name not in roles}
        return self._replace(files=kept)

    def what(self, role: str) -> str:
        """Return what to call the file of a role in an error."""
        return f"{role} of the {self.name}"


def open_trusted(
    name: str, dialect: Dialect, files: Mapping[str, bytes], limits: Limits = DEFAULT_LIMITS
) -> Trusted:
    """Trust what was kept, as far as its signatures are still good; nothing needs to be fresh.

    Args:
        name: What the repository is called.
        dialect: How it spells metadata.
        files: By role; there has to be a root, which is trusted because it is there.
        limits: How much is read.

    Raises:
        MetadataInvalid: There is no root, or it is none.
        ThresholdNotMet: It does not vouch for itself.
    """
    data = files.get(_ROOT)
    if data is None:
        raise MetadataInvalid(
            f"there is no root of the {name}",
            hint="a device is given one when it is made; without it, it can trust nobody",
        )
    what = f"root of the {name}"
    envelope = parse_envelope(data, dialect, limits.root_bytes, what)
    root = read_root(envelope.signed, dialect, what)
    checks.check_root_signed_by_itself(envelope, root, what)
    found = Trusted(name, dialect, root, None, None, None, dict(files), limits)
    return _read_kept(found)


def _read_kept(found: Trusted) -> Trusted:
    """Trust kept files again, and drop those that the root does not vouch for."""
    timestamp = snapshot = targets = None
    dropped: list[str] = []
    for role in (_TIMESTAMP, _SNAPSHOT, _TARGETS):
        data = found.files.get(role)
        if data is None:
            continue
        try:
            envelope = _open(found, role, data, found.limits.targets_bytes)
            if role == _TIMESTAMP:
                timestamp = read_timestamp(envelope.signed, found.dialect, found.what(role))
            elif role == _SNAPSHOT:
                snapshot = read_snapshot(envelope.signed, found.dialect, found.what(role))
            else:
                targets = read_targets(envelope.signed, found.dialect, found.what(role))
        except UptaneRefusal:
            dropped.append(role)
    kept = found.without_files(*dropped)
    return kept._replace(
        timestamp=timestamp, snapshot=snapshot, targets=targets, dropped=tuple(dropped)
    )


def _open(found: Trusted, role: str, data: bytes, max_bytes: int) -> Envelope:
    """Open the file of a role that the root vouches for."""
    what = found.what(role)
    checks.check_size(data, max_bytes, what)
    envelope = parse_envelope(data, found.dialect, len(data), what)
    checks.check_signed(envelope, found.root.keys, found.root.role(role), what, role)
    return envelope


# -------------------------------------------------------------------------------- root


def accept_root(found: Trusted, data: bytes) -> Trusted:
    """Trust the next root; it need not be fresh, since there may be another one.

    Raises:
        UptaneError: It is not the next, or one of the two does not vouch for it.
    """
    what = found.what(f"root {found.root.header.version + 1}")
    checks.check_size(data, found.limits.root_bytes, what)
    envelope = parse_envelope(data, found.dialect, len(data), what)
    new = read_root(envelope.signed, found.dialect, what)
    checks.check_root_signed_by_old(envelope, found.root, what)
    checks.check_root_signed_by_itself(envelope, new, what)
    checks.check_root_is_next(new, found.root, what)
    after = found._replace(root=new).with_file(_ROOT, data)
    return forget_after_rotation(after, found.root)


def forget_after_rotation(found: Trusted, old: Root) -> Trusted:
    """Forget what keys signed that are not good any more (R7).

    Timestamp and snapshot go together when the keys of one of them change: who had a key may have
    signed the highest version that there is, which nobody could come after. Of the rest, what the
    new root still vouches for stays, so that nothing can be rolled back.
    """
    if _has_other_keys(found.root, old, _TIMESTAMP) or _has_other_keys(found.root, old, _SNAPSHOT):
        found = found.without_files(_TIMESTAMP, _SNAPSHOT)
    return _read_kept(found)


def _has_other_keys(new: Root, old: Root, role: str) -> bool:
    return {identity(one) for one in new.keys_of(role).values()} != {
        identity(one) for one in old.keys_of(role).values()
    }


def finish_roots(found: Trusted, now: datetime) -> None:
    """Refuse a root that is the last one and not to be believed any more (R6)."""
    checks.check_unexpired(found.root.header, now, found.what(_ROOT))


# --------------------------------------------------------------- timestamp and snapshot


def accept_timestamp(found: Trusted, data: bytes, now: datetime) -> Trusted:
    """Trust a timestamp.

    Raises:
        UptaneError: It is not signed, older than what is known, or expired.
    """
    what = found.what(_TIMESTAMP)
    envelope = _open(found, _TIMESTAMP, data, found.limits.timestamp_bytes)
    new = read_timestamp(envelope.signed, found.dialect, what)
    known = found.timestamp
    checks.check_no_rollback(new.header, known.header if known else None, what)
    checks.check_snapshot_not_older(new, known, what)
    if known is not None and known.header.version == new.header.version:
        checks.check_same_version_same_content(new, known, what)
    checks.check_unexpired(new.header, now, what)
    return found._replace(timestamp=new).with_file(_TIMESTAMP, data)


def has_newest_snapshot(found: Trusted) -> bool:
    """Say whether the snapshot that is known is the one that the timestamp names."""
    if found.timestamp is None or found.snapshot is None:
        return False
    expected = found.timestamp.snapshot
    try:
        checks.check_file(found.files[_SNAPSHOT], expected, found.what(_SNAPSHOT))
        checks.check_version(found.snapshot.header, expected, found.what(_SNAPSHOT))
    except MetadataMismatch:
        return False
    return True


def snapshot_bytes(found: Trusted) -> int:
    """Return how much of a snapshot is to be read (S1)."""
    length = found.timestamp.snapshot.length if found.timestamp else None
    return min(length or found.limits.snapshot_bytes, found.limits.snapshot_bytes)


def accept_snapshot(found: Trusted, data: bytes, now: datetime) -> Trusted:
    """Trust the snapshot that the timestamp names.

    Raises:
        UptaneError: It is another one, not signed, takes something back, or expired.
    """
    what = found.what(_SNAPSHOT)
    if found.timestamp is None:
        raise MetadataInvalid(f"there is no timestamp to say which {what} is the newest")
    expected = found.timestamp.snapshot
    checks.check_size(data, snapshot_bytes(found), what)
    checks.check_file(data, expected, what)
    envelope = _open(found, _SNAPSHOT, data, found.limits.snapshot_bytes)
    new = read_snapshot(envelope.signed, found.dialect, what)
    checks.check_version(new.header, expected, what)
    known = found.snapshot
    checks.check_no_rollback(new.header, known.header if known else None, what)
    checks.check_listed_versions(new, known, what)
    checks.check_listed_files(new, known, what)
    if known is not None and known.header.version == new.header.version:
        checks.check_same_version_same_content(new, known, what)
    checks.check_unexpired(new.header, now, what)
    return found._replace(snapshot=new).with_file(_SNAPSHOT, data)


# ----------------------------------------------------------------------------- targets


def listed_file(found: Trusted, role: str) -> MetaFile:
    """Return what the snapshot says of the Targets of a role.

    Raises:
        MetadataMismatch: It does not list them.
    """
    meta = found.snapshot.meta.get(meta_name(role)) if found.snapshot else None
    if meta is None:
        raise MetadataMismatch(f"the snapshot of the {found.name} does not list {role}")
    return meta


def targets_bytes(found: Trusted, role: str) -> int:
    """Return how much of the Targets of a role is to be read (G1)."""
    length = listed_file(found, role).length if found.snapshot else None
    return min(length or found.limits.targets_bytes, found.limits.targets_bytes)


def has_newest_targets(found: Trusted) -> bool:
    """Say whether the Targets that are known are those that the snapshot lists."""
    if found.targets is None or found.snapshot is None:
        return False
    expected = listed_file(found, _TARGETS)
    try:
        checks.check_file(found.files[_TARGETS], expected, found.what(_TARGETS))
        checks.check_version(found.targets.header, expected, found.what(_TARGETS))
    except MetadataMismatch:
        return False
    return True


def accept_targets(found: Trusted, data: bytes, now: datetime) -> Trusted:
    """Trust Targets that the snapshot lists; where there is no snapshot, any that are not older.

    Raises:
        UptaneError: They are others, not signed, older than what is known, or expired.
    """
    what = found.what(_TARGETS)
    expected = listed_file(found, _TARGETS) if found.snapshot is not None else None
    if expected is not None:
        checks.check_size(data, targets_bytes(found, _TARGETS), what)
        checks.check_file(data, expected, what)
    envelope = _open(found, _TARGETS, data, found.limits.targets_bytes)
    new = read_targets(envelope.signed, found.dialect, what)
    if expected is not None:
        checks.check_version(new.header, expected, what)
    known = found.targets
    checks.check_no_rollback(new.header, known.header if known else None, what)
    if known is not None and known.header.version == new.header.version:
        checks.check_same_version_same_content(new, known, what)
    checks.check_unexpired(new.header, now, what)
    return found._replace(targets=new).with_file(_TARGETS, data)


class Delegator(NamedTuple):
    """Who says whose signatures count for a role.

    Attributes:
        role: The role that is trusted.
        keys: Keys by their ids.
        role_keys: Which of them count, and how many have to sign.
        by: Who trusts it.
    """

    role: str
    keys: Mapping[str, Key]
    role_keys: RoleKeys
    by: str


def accept_role(
    found: Trusted, delegator: Delegator, data: bytes, now: datetime
) -> tuple[Trusted, Targets]:
    """Trust the Targets of a role that other Targets trust, for what they trust it with.

    Raises:
        UptaneError: They are others than the snapshot lists, not signed, older than what is
            known, or expired.
    """
    role = delegator.role
    what = found.what(f"role {role}")
    expected = listed_file(found, role)
    checks.check_size(data, targets_bytes(found, role), what)
    checks.check_file(data, expected, what)
    envelope = parse_envelope(data, found.dialect, found.limits.targets_bytes, what)
    by = f"{role}, as {delegator.by} says"
    checks.check_signed(envelope, delegator.keys, delegator.role_keys, what, by)
    new = read_targets(envelope.signed, found.dialect, what)
    checks.check_version(new.header, expected, what)
    known = _known_role(found, delegator)
    checks.check_no_rollback(new.header, known.header if known else None, what)
    checks.check_unexpired(new.header, now, what)
    return found.with_file(role, data), new


def _known_role(found: Trusted, delegator: Delegator) -> Targets | None:
    """Return the Targets of a role that were kept, if its keys still vouch for them."""
    data = found.files.get(delegator.role)
    if data is None:
        return None
    what = f"kept {found.what(delegator.role)}"
    try:
        envelope = parse_envelope(data, found.dialect, found.limits.targets_bytes, what)
        checks.check_signed(envelope, delegator.keys, delegator.role_keys, what, delegator.role)
        return read_targets(envelope.signed, found.dialect, what)
    except UptaneRefusal:
        return None
