# SPDX-License-Identifier: Apache-2.0
"""Roots: who may sign, how many have to, and new keys in place of old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.keyring import make_key, spelled, write_key
from ostrya.uptane.author.publish import expiry
from ostrya.uptane.author.workplace import KEYS, Settings, make_workplace, open_workplace
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.dialect import OFFLINE_SNAPSHOT, OFFLINE_UPDATES, Dialect, Role
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.keys import repository_key_id
from ostrya.uptane.metadata.root import Root
from ostrya.uptane.metadata.signed import Envelope, RoleKeys
from ostrya.uptane.metadata.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ostrya.uptane.author.workplace import Workplace
    from ostrya.uptane.metadata.keys import Key

_ROOT, _TARGETS = Role.ROOT.value, Role.TARGETS.value
_SHOWN_DIGITS = 8


class RolePlan(NamedTuple):
    """What keys a role gets.

    Attributes:
        number: How many are made.
        threshold: How many have to sign.
        folders: Where they are put, one after the other in turn; empty for the workplace.
    """

    number: int = 1
    threshold: int = 1
    folders: tuple[str, ...] = ()


class NewKeys(NamedTuple):
    """What kind of keys a role gets.

    Attributes:
        kind: As `ostrya.uptane.metadata.secret_keys.KINDS` has it.
        plans: By role; one key in the workplace for roles that are not named.
    """

    kind: str
    plans: Mapping[str, RolePlan]


def role_names(settings: Settings) -> tuple[str, ...]:
    """Return the roles that a root has."""
    names = tuple(role.value for role in Role)
    return (*names, OFFLINE_UPDATES, OFFLINE_SNAPSHOT) if settings.is_director else names


def create(folder: str, settings: Settings, new: NewKeys, now: datetime) -> Workplace:
    """Make a folder with the keys of a repository, and stage its first root and empty Targets.

    Raises:
        AuthoringError: There is one already, or a threshold cannot be reached.
    """
    for role, plan in new.plans.items():
        _check(role, plan, settings)
    make_workplace(folder, settings)
    work = open_workplace(folder)
    keys: dict[str, Key] = {}
    roles: dict[str, RoleKeys] = {}
    for role in role_names(settings):
        plan = new.plans.get(role, RolePlan())
        made = make_keys(work, role, new.kind, plan)
        keys.update(made)
        roles[role] = RoleKeys(tuple(made), plan.threshold)
    header = Header(1, expiry(work, _ROOT, now))
    # The Standard's names of files for TUF; aktualizr asks for plain ones.
    root = Root(header, keys, roles, work.dialect is Dialect.TUF)
    work.stage(_ROOT, Envelope(work.dialect, (), root.to_json(work.dialect)))
    targets = Targets(Header(1, expiry(work, _TARGETS, now)), {})
    work.stage(_TARGETS, Envelope(work.dialect, (), targets.to_json(work.dialect)))
    return work


def make_keys(work: Workplace, role: str, kind: str, plan: RolePlan) -> dict[str, Key]:
    """Make keys for a role and write them; return their public halves by id."""
    made: dict[str, Key] = {}
    for at in range(plan.number):
        secret = make_key(kind)
        key = spelled(secret.key, work.dialect)
        key_id = repository_key_id(work.dialect, key)
        folder = plan.folders[at % len(plan.folders)] if plan.folders else work.path(KEYS)
        write_key(folder, f"{role}-{key_id[:_SHOWN_DIGITS]}", secret)
        made[key_id] = key
    work.keyring.look_again()
    return made


def rotate(work: Workplace, role: str, kind: str, plan: RolePlan, now: datetime) -> tuple[str, ...]:
    """Stage a root in which a role has new keys, in place of all that it had; return their ids.

    Where Targets get new keys, they are staged too, to be signed by them.

    Raises:
        AuthoringError: There is no such role, or a threshold cannot be reached.
    """
    _check(role, plan, work.settings)
    root = work.newest_root()
    made = make_keys(work, role, kind, plan)
    roles = {**root.roles, role: RoleKeys(tuple(made), plan.threshold)}
    used = {key_id for one in roles.values() for key_id in one.key_ids}
    keys = {key_id: key for key_id, key in {**root.keys, **made}.items() if key_id in used}
    version = work.root_version() + 1
    header = root.header._replace(version=version, expires=expiry(work, _ROOT, now))
    new = root._replace(header=header, keys=keys, roles=roles)
    work.stage(_ROOT, Envelope(work.dialect, (), new.to_json(work.dialect)))
    if role == _TARGETS:
        restage_targets(work, now)
    return tuple(made)


def renew(work: Workplace, role: str, now: datetime) -> None:
    """Stage the metadata of a role as it is, with a new lifetime.

    Raises:
        AuthoringError: There is none, or it is made anew whenever something is published.
    """
    if role == _ROOT:
        root = work.newest_root()
        version = work.root_version() + 1
        header = root.header._replace(version=version, expires=expiry(work, _ROOT, now))
        value = root._replace(header=header).to_json(work.dialect)
        work.stage(_ROOT, Envelope(work.dialect, (), value))
    elif role in {Role.SNAPSHOT.value, Role.TIMESTAMP.value}:
        raise AuthoringError(f"{role} is made anew whenever something is published")
    elif work.newest_targets(role) is None:
        raise AuthoringError(f"there is no role {role}")
    else:
        restage_targets(work, now, role)


def expiries(work: Workplace) -> dict[str, datetime]:
    """Return until when the newest metadata of each role is to be believed."""
    found = {_ROOT: work.newest_root().header.expires}
    if work.root_version():
        snapshot, timestamp = work.snapshot(), work.timestamp()
        listed = [file.removesuffix(".json") for file in snapshot.meta] if snapshot else []
        for role in listed:
            targets = work.newest_targets(role)
            if targets is not None:
                found[role] = targets.header.expires
        if snapshot is not None and timestamp is not None:
            found[Role.SNAPSHOT.value] = snapshot.header.expires
            found[Role.TIMESTAMP.value] = timestamp.header.expires
    return found


def restage_targets(work: Workplace, now: datetime, role: str = _TARGETS) -> None:
    """Stage the Targets of a role as they are, to be signed anew."""
    targets = work.newest_targets(role)
    if targets is not None:
        stage_targets(work, role, targets, now)


def stage_targets(
    work: Workplace, role: str, targets: Targets, now: datetime, *, beyond: int = 0
) -> None:
    """Stage Targets of a role as the next version of those that are published.

    Args:
        work: The workplace.
        role: Which Targets.
        targets: What they say.
        now: What the time is.
        beyond: The version is a later one than this, too.
    """
    published = work.published(role) if work.root_version() else None
    before = published.signed["version"] if published else 0
    version = max(before if isinstance(before, int) else 0, beyond) + 1
    header = targets.header._replace(version=version, expires=expiry(work, role, now))
    value = targets._replace(header=header).to_json(work.dialect)
    work.stage(role, Envelope(work.dialect, (), value))


def parse_plans(
    counts: Sequence[str], thresholds: Sequence[str], folders: Sequence[str]
) -> dict[str, RolePlan]:
    """Return plans from words like root=2.

    Raises:
        AuthoringError: One is not such a word.
    """
    plans: dict[str, RolePlan] = {}
    for what, words in (("count", counts), ("threshold", thresholds), ("folders", folders)):
        for word in words:
            role, equals, value = word.partition("=")
            if not equals or (what != "folders" and not (value.isascii() and value.isdigit())):
                raise AuthoringError(
                    f"{word!r} is not understood", hint="it has the form ROLE=VALUE, root=2 say"
                )
            plan = plans.get(role, RolePlan())
            if what == "count":
                plan = plan._replace(number=int(value))
            elif what == "threshold":
                plan = plan._replace(threshold=int(value), number=max(plan.number, int(value)))
            else:
                plan = plan._replace(folders=(*plan.folders, value))
            plans[role] = plan
    return plans


def _check(role: str, plan: RolePlan, settings: Settings) -> None:
    names = role_names(settings)
    if role not in names:
        raise AuthoringError(f"there is no role {role}", hint=f"there are {', '.join(names)}")
    if not 1 <= plan.threshold <= plan.number <= 100:
        raise AuthoringError(
            f"{plan.threshold} of {plan.number} keys of {role} cannot sign",
            hint="a threshold is from 1 to the number of keys, which is up to 100",
        )
