# SPDX-License-Identifier: Apache-2.0
"""Roles that Targets trust: given, taken back, and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.keyring import read_public_key, spelled
from ostrya.uptane.author.publish import expiry
from ostrya.uptane.author.roles import stage_targets
from ostrya.uptane.author.workplace import MAX_METADATA_BYTES
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.delegations import DelegatedRole, Delegations, check_role_name
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.keys import repository_key_id
from ostrya.uptane.metadata.paths import check_pattern
from ostrya.uptane.metadata.signed import Envelope, RoleKeys, parse_envelope
from ostrya.uptane.metadata.targets import Targets, read_targets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ostrya.uptane.author.workplace import Workplace

_TARGETS = Role.TARGETS.value


class Trust(NamedTuple):
    """What a role is trusted with.

    Attributes:
        paths: Patterns of names of images.
        threshold: How many of its keys have to sign.
        terminating: Nobody else is asked for these images.
        hardware_ids: Kinds of ECUs; empty for all.
    """

    paths: tuple[str, ...]
    threshold: int = 1
    terminating: bool = False
    hardware_ids: tuple[str, ...] = ()


def add(
    work: Workplace, name: str, key_files: Sequence[str], trust: Trust, now: datetime
) -> tuple[str, ...]:
    """Stage a delegation, and empty Targets of the role; return the ids of its keys.

    Raises:
        AuthoringError: It cannot be given so.
        MetadataInvalid: A name, a pattern or a key is none.
    """
    check_role_name(name, "the delegation")
    for pattern in trust.paths:
        check_pattern(pattern, "the delegation")
    if not trust.paths:
        raise AuthoringError(f"{name} would be trusted with nothing", hint="--path=PATTERN")
    keys = {}
    for path in key_files:
        key = spelled(read_public_key(path), work.dialect)
        keys[repository_key_id(work.dialect, key)] = key
    if not 1 <= trust.threshold <= len(keys):
        raise AuthoringError(
            f"{trust.threshold} of {len(keys)} keys of {name} cannot sign",
            hint="--key=FILE.pub, once for each key",
        )
    targets = _targets(work)
    known = targets.delegations or Delegations({})
    if any(name in dict(one.members) for one in known.roles):
        raise AuthoringError(f"{name} is trusted already", hint="remove it first")
    role = DelegatedRole(
        ((name, RoleKeys(tuple(keys), trust.threshold)),),
        trust.paths,
        terminating=trust.terminating,
        hardware_ids=trust.hardware_ids or None,
    )
    new = known._replace(keys={**known.keys, **keys}, roles=(*known.roles, role))
    stage_targets(work, _TARGETS, targets._replace(delegations=new), now)
    # Without any Targets of its own, whoever asks it would end there with an error.
    if work.newest(name) is None:
        empty = Targets(Header(1, expiry(work, _TARGETS, now)), {})
        work.stage(name, Envelope(work.dialect, (), empty.to_json(work.dialect)))
    else:
        stage_targets(work, name, work.newest_targets(name) or Targets(Header(1, now), {}), now)
    return tuple(keys)


def remove(work: Workplace, name: str, now: datetime) -> None:
    """Stage Targets that do not trust a role any more.

    Its file stays in the snapshot: clients refuse a snapshot in which something is missing.

    Raises:
        AuthoringError: It is not trusted.
    """
    targets = _targets(work)
    known = targets.delegations or Delegations({})
    roles = tuple(one for one in known.roles if name not in dict(one.members))
    if len(roles) == len(known.roles):
        raise AuthoringError(f"{name} is not trusted", hint="`ostrya ota delegation list`")
    used = {key_id for one in roles for _, keys in one.members for key_id in keys.key_ids}
    keys = {key_id: key for key_id, key in known.keys.items() if key_id in used}
    new = known._replace(keys=keys, roles=roles) if roles else None
    stage_targets(work, _TARGETS, targets._replace(delegations=new), now)
    work.unstage(name)


def roles(work: Workplace) -> tuple[DelegatedRole, ...]:
    """Return whom Targets trust, in order."""
    delegations = _targets(work).delegations
    return delegations.roles if delegations else ()


def take_in(work: Workplace, name: str, data: bytes) -> Targets:
    """Stage Targets that the owner of a role made and signed elsewhere.

    Raises:
        AuthoringError: They are not newer than those that are published.
        MetadataInvalid: They are none.
    """
    envelope = parse_envelope(data, work.dialect, MAX_METADATA_BYTES, name)
    targets = read_targets(envelope.signed, work.dialect, name)
    published = work.published(name) if work.root_version() else None
    before = published.signed["version"] if published else 0
    if isinstance(before, int) and targets.header.version <= before:
        raise AuthoringError(
            f"{name} has version {targets.header.version}, and {before} is published",
            hint="clients refuse what is older; its owner has to raise the version",
        )
    if not any(name in dict(one.members) for one in roles(work)):
        raise AuthoringError(f"{name} is not trusted", hint="`ostrya ota delegation add`")
    work.stage(name, envelope)
    return targets


def _targets(work: Workplace) -> Targets:
    targets = work.newest_targets()
    if targets is None:
        raise AuthoringError(f"{work.folder} has no Targets")
    return targets
