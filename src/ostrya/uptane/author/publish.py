# SPDX-License-Identifier: Apache-2.0
"""Sign what is staged with the keys that are here, and publish it once it has enough signatures."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.workplace import REPOSITORY
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.dialect import OFFLINE_SNAPSHOT, OFFLINE_UPDATES, Role
from ostrya.uptane.metadata.file_names import meta_name, root_file
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.root import Root, read_root
from ostrya.uptane.metadata.signed import add_signatures, sign, signers
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot
from ostrya.uptane.metadata.targets import read_targets
from ostrya.uptane.metadata.timestamp import Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.uptane.author.workplace import Workplace
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.metadata.keys import Key
    from ostrya.uptane.metadata.secret_keys import SecretKey
    from ostrya.uptane.metadata.signed import Envelope, RoleKeys

_ROOT, _TARGETS = Role.ROOT.value, Role.TARGETS.value
_SNAPSHOT, _TIMESTAMP = Role.SNAPSHOT.value, Role.TIMESTAMP.value


class Missing(NamedTuple):
    """A file that has too few signatures.

    Attributes:
        role: Whose file.
        signed_by: How many keys signed.
        threshold: How many have to.
        key_ids: Keys that could still sign.
    """

    role: str
    signed_by: int
    threshold: int
    key_ids: tuple[str, ...]


class Published(NamedTuple):
    """What came of an attempt to publish.

    Attributes:
        missing: What has too few signatures; if there is anything, nothing was published.
        files: What was written, in order.
    """

    missing: tuple[Missing, ...]
    files: tuple[str, ...]


class Signing(NamedTuple):
    """Whose signatures a file needs: all of these."""

    keys: Mapping[str, Key]
    role_keys: RoleKeys


def expiry(work: Workplace, role: str, now: datetime) -> datetime:
    """Return when metadata that is made now stops being believed."""
    days = work.settings.days.get(role, work.settings.days[_TARGETS])
    return now.replace(microsecond=0) + timedelta(days=days)


def publish(work: Workplace, now: datetime, *, beyond: int = 0) -> Published:
    """Sign what is staged, and publish all of it if all of it has enough signatures.

    Snapshot and timestamp are made anew, also if nothing is staged: that keeps them fresh.

    Args:
        work: The workplace.
        now: What the time is.
        beyond: Snapshot and timestamp get a later version than this one.

    Raises:
        AuthoringError: A role is staged that nobody trusts, or keys of snapshot and timestamp
            are not here.
    """
    root = work.newest_root() if work.root_version() else _first_root(work)
    missing: list[Missing] = []
    ready: dict[str, Envelope] = {}
    for role in work.staged_roles():
        envelope = _signed(work, role, root, missing)
        work.stage(role, envelope)
        ready[role] = envelope
    online = [role for role in (_SNAPSHOT, _TIMESTAMP) if not _here(work, root, role)]
    missing += [
        Missing(role, 0, root.role(role).threshold, root.role(role).key_ids) for role in online
    ]
    if missing:
        return Published(tuple(missing), ())
    files = _write_all(work, root, ready, now, beyond)
    for role in ready:
        work.unstage(role)
    return Published((), tuple(files))


def _first_root(work: Workplace) -> Root:
    staged = work.staged(_ROOT)
    if staged is None:
        raise AuthoringError(f"{work.folder} has no root, and none is staged")
    return read_root(staged.signed, work.dialect)


def _signed(work: Workplace, role: str, root: Root, missing: list[Missing]) -> Envelope:
    """Sign a staged file with all keys that are here, and note what is missing."""
    envelope = work.staged(role)
    if envelope is None:
        raise AuthoringError(f"nothing is staged for {role}")
    for signing in whose_signatures(work, role, root):
        envelope = add_signatures(envelope, _secrets(work, signing))
        valid = len(signers(envelope, signing.keys, signing.role_keys))
        if valid < signing.role_keys.threshold:
            done = {one.key_id for one in envelope.signatures}
            left = tuple(one for one in signing.role_keys.key_ids if one not in done)
            missing.append(Missing(role, valid, signing.role_keys.threshold, left))
    return envelope


def whose_signatures(work: Workplace, role: str, root: Root) -> tuple[Signing, ...]:
    """Return whose signatures the file of a role needs.

    Raises:
        AuthoringError: Nobody trusts the role.
    """
    if role == _ROOT:
        own = Signing(root.keys, root.role(_ROOT))
        if not work.root_version():
            return (own,)
        old = work.root()
        return (Signing(old.keys, old.role(_ROOT)), own)
    if role in root.roles:
        return (Signing(root.keys, root.role(role)),)
    if work.settings.is_director and role.startswith(f"{OFFLINE_UPDATES}."):
        return (Signing(root.keys, root.role(OFFLINE_UPDATES)),)
    targets = work.newest_targets()
    delegations = targets.delegations if targets else None
    for one in delegations.roles if delegations else ():
        for name, role_keys in one.members:
            if name == role and delegations is not None:
                return (Signing(delegations.keys, role_keys),)
    raise AuthoringError(
        f"something is staged for {role}, which Targets do not trust",
        hint=f"delete {work.path('staged', role + '.json')}, or add the delegation",
    )


def _secrets(work: Workplace, signing: Signing) -> list[tuple[str, SecretKey]]:
    found = []
    for key_id in signing.role_keys.key_ids:
        secret = work.keyring.find(signing.keys[key_id]) if key_id in signing.keys else None
        if secret is not None:
            found.append((key_id, secret))
    return found


def _here(work: Workplace, root: Root, role: str) -> bool:
    signing = Signing(root.keys, root.role(role))
    return len(_secrets(work, signing)) >= root.role(role).threshold


def sign_role(work: Workplace, root: Root, role: str, signed: Object) -> Envelope:
    """Sign something with the keys of a role that are here.

    Raises:
        AuthoringError: Too few are.
    """
    if not _here(work, root, role):
        raise AuthoringError(
            f"too few keys of {role} are here",
            hint="name the folder that they are in by --keys",
        )
    return sign(signed, work.dialect, _secrets(work, Signing(root.keys, root.role(role))))


def _write_all(
    work: Workplace, root: Root, ready: Mapping[str, Envelope], now: datetime, beyond: int
) -> list[str]:
    """Write all files, none before those that it names."""
    written: list[str] = []

    def write(name: str, envelope: Envelope) -> MetaFile:
        data = envelope.to_bytes()
        work.write_published(name, data)
        written.append(name)
        version = envelope.signed["version"]
        return MetaFile(version if isinstance(version, int) else 0, len(data), digests(data))

    before = work.snapshot() if work.root_version() else None
    stamp = work.timestamp() if work.root_version() else None
    if _ROOT in ready:
        write(root_file(root.header.version), ready[_ROOT])
        write("root.json", ready[_ROOT])
    listed = dict(before.meta) if before else {}
    for role, envelope in ready.items():
        if role not in {_ROOT, OFFLINE_SNAPSHOT} and not role.startswith(OFFLINE_UPDATES):
            version = read_targets(envelope.signed, work.dialect, role).header.version
            listed[meta_name(role)] = write(work.file(role, version), envelope)
    version = max(before.header.version if before else 0, beyond) + 1
    snapshot = Snapshot(Header(version, expiry(work, _SNAPSHOT, now)), listed)
    signed = sign_role(work, root, _SNAPSHOT, snapshot.to_json(work.dialect))
    described = write(work.file(_SNAPSHOT, version), signed)
    version = max(stamp.header.version if stamp else 0, beyond) + 1
    timestamp = Timestamp(Header(version, expiry(work, _TIMESTAMP, now)), described)
    write("timestamp.json", sign_role(work, root, _TIMESTAMP, timestamp.to_json(work.dialect)))
    return written


def image_path(work: Workplace, name: str) -> str:
    """Return where an image is kept to be served."""
    return os.path.join(work.path(REPOSITORY), "targets", name)
