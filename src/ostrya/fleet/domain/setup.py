# SPDX-License-Identifier: Apache-2.0
"""Make a server: its authority, its keys, its database and its settings, all or nothing."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file, temporary_name
from ostrya._linux.dirfd import open_dir
from ostrya.fleet.certificates import (
    CA_DAYS,
    SERVER_DAYS,
    Purpose,
    Wish,
    issue,
    make_authority,
    server_names,
)
from ostrya.fleet.db.database import bring_up_to_date, open_database
from ostrya.fleet.db.devices import Certificate, add_certificate
from ostrya.fleet.domain.fleet import (
    AUTHORITY,
    DIRECTOR,
    IMAGE,
    PROVISIONING,
    TREEHUB,
    read_identity,
)
from ostrya.fleet.errors import SetupError
from ostrya.fleet.settings import FILE, Settings, write_settings
from ostrya.named_tuple import NamedTuple
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import Repository, create_repository
from ostrya.uptane.author import publish, roles, workplace
from ostrya.uptane.author.images import copy_file
from ostrya.uptane.author.keyring import write_key
from ostrya.uptane.metadata.dialect import Dialect, Role

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.fleet.certificates import Identity
    from ostrya.uptane.author.workplace import Workplace

DIRECTOR_DAYS = {"root": 365, "targets": 31, "snapshot": 31, "timestamp": 1}
IMAGE_DAYS = {"root": 365, "targets": 31, "snapshot": 31, "timestamp": 1}
# Where a person signs Targets, nobody wants to do so every month.
OFFLINE_DAYS = {**IMAGE_DAYS, "targets": 365}
_RENEWED_BEFORE = timedelta(days=30)
_ONLINE = (Role.SNAPSHOT.value, Role.TIMESTAMP.value)


class Plan(NamedTuple):
    """What kind of server is made.

    Attributes:
        settings: As they shall be; the folder must not exist.
        key_type: Of the keys that sign metadata.
        image_folder: A workplace of `ostrya ota` that keeps root and Targets of the Image
            repository away from the server; made if it is not there; empty for keys on the server.
    """

    settings: Settings
    key_type: str = "ed25519"
    image_folder: str = ""


def make_fleet(plan: Plan, now: datetime) -> None:
    """Make a server.

    Raises:
        SetupError: There is something already.
        AuthoringError: The Image repository cannot be taken from where it is.
        OSError: It cannot be written.
    """
    folder = plan.settings.folder.rstrip("/") or "/"
    if os.path.lexists(folder):
        raise SetupError(
            f"{folder} exists already",
            hint="a server is made in a new folder; `ostrya fleet status --dir=DIR` looks at one",
        )
    parent = os.path.dirname(folder) or "."
    if not os.path.isdir(parent):
        raise SetupError(f"there is no folder {parent}", hint="make it first")
    # Beside it, so that it appears whole or not at all.
    building = os.path.join(parent, temporary_name())
    os.mkdir(building, 0o700)
    try:
        _build(plan, plan.settings._replace(folder=building), now)
        os.rename(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    parent_fd = open_dir(parent, follow=True)
    os.fsync(parent_fd)
    os.close(parent_fd)


def _build(plan: Plan, settings: Settings, now: datetime) -> None:
    name = settings.server.name
    ca_folder = settings.path(AUTHORITY)
    os.mkdir(ca_folder, 0o700)
    authority = make_authority(name, now)
    write_identity(ca_folder, "ca", authority)
    server = issue_server(authority, settings, now)
    write_identity(ca_folder, "server", server)
    wish = Wish(f"{name}-provisioning"[:64], Purpose.PROVISIONING, CA_DAYS)
    provisioning = issue(authority, wish, now)
    write_identity(ca_folder, PROVISIONING, provisioning)
    director = workplace.Settings(Dialect.UPTANE, _days(DIRECTOR_DAYS), is_director=True)
    keys = roles.NewKeys(plan.key_type, {})
    _publish(roles.create(settings.path(DIRECTOR), director, keys, now), now)
    _make_image_repository(plan, settings.path(IMAGE), now)
    with create_treehub(settings.path(TREEHUB)):
        pass
    _write(settings.folder, FILE, write_settings(settings).encode())
    with open_database(settings.database_url) as database:
        bring_up_to_date(database)
        certificate = registered(provisioning, wish, int(now.timestamp()))
        database.write(lambda connection: add_certificate(connection, certificate))


def registered(identity: Identity, wish: Wish, now: int) -> Certificate:
    """Return what the registry keeps of a certificate."""
    expires = int(identity.certificate.not_valid_after_utc.timestamp())
    return Certificate(identity.serial, wish.name, wish.purpose.value, now, expires)


def issue_server(authority: Identity, settings: Settings, now: datetime) -> Identity:
    """Make the certificate of the server itself, for all names that it is reached by."""
    names = tuple(dict.fromkeys(settings.server.hostnames)) or ("localhost",)
    wish = Wish(names[0][:64], Purpose.SERVER, SERVER_DAYS, names)
    return issue(authority, wish, now)


def renew_server_if_due(authority: Identity, settings: Settings, now: datetime) -> bool:
    """Make another certificate for the server if its names changed, or little time is left.

    Raises:
        OSError: It cannot be written.
    """
    folder = settings.path(AUTHORITY)
    try:
        known = read_identity(folder, "server").certificate
        is_good = server_names(known) == set(settings.server.hostnames) and (
            known.not_valid_after_utc - now > _RENEWED_BEFORE
        )
    except SetupError:
        is_good = False
    if not is_good:
        write_identity(folder, "server", issue_server(authority, settings, now))
    return not is_good


def write_identity(folder: str, name: str, identity: Identity) -> None:
    """Write a certificate and its key, for their owner only."""
    _write(folder, f"{name}.key", identity.key_pem())
    _write(folder, f"{name}.pem", identity.certificate_pem())


def create_treehub(folder: str) -> Repository:
    """Make the repository of commits."""
    return create_repository(folder, RepoMode.ARCHIVE)


def _make_image_repository(plan: Plan, folder: str, now: datetime) -> None:
    if not plan.image_folder:
        settings = workplace.Settings(Dialect.UPTANE, _days(IMAGE_DAYS))
        _publish(roles.create(folder, settings, roles.NewKeys(plan.key_type, {}), now), now)
        return
    source = plan.image_folder
    if not os.path.exists(os.path.join(source, workplace.SETTINGS)):
        settings = workplace.Settings(Dialect.UPTANE, _days(OFFLINE_DAYS))
        _publish(roles.create(source, settings, roles.NewKeys(plan.key_type, {}), now), now)
    _take(workplace.open_workplace(source), folder)


def _take(work: Workplace, folder: str) -> None:
    """Copy what is published, and the keys that have to be online, and no others."""
    root = work.root()
    days = {**work.settings.days, **{role: IMAGE_DAYS[role] for role in _ONLINE}}
    workplace.make_workplace(folder, work.settings._replace(days=days))
    for role in _ONLINE:
        found = [work.keyring.find(key) for key in root.keys_of(role).values()]
        secrets = [one for one in found if one is not None]
        if len(secrets) < root.role(role).threshold:
            raise SetupError(
                f"the keys of {role} are not in {work.folder}",
                hint="a server signs snapshots and timestamps itself; give these roles keys that"
                " are there: `ostrya ota keys rotate`",
            )
        for number, secret in enumerate(secrets):
            write_key(os.path.join(folder, workplace.KEYS), f"{role}-{number}", secret)
    source = work.path(workplace.REPOSITORY)
    for where, _, names in os.walk(source):
        target = os.path.join(folder, workplace.REPOSITORY, os.path.relpath(where, source))
        os.makedirs(target, exist_ok=True)
        for name in names:
            copy_file(os.path.join(where, name), os.path.join(target, name))


def _publish(work: Workplace, now: datetime) -> None:
    done = publish.publish(work, now)
    if done.missing:
        names = ", ".join(one.role for one in done.missing)
        raise SetupError(f"{work.folder} lacks signatures for {names}")


def _days(days: dict[str, int]) -> dict[str, int]:
    return {**workplace.DAYS, **days}


def _write(folder: str, name: str, data: bytes) -> None:
    dir_fd = open_dir(folder, follow=True)
    try:
        replace_file(name, data, dir_fd=dir_fd, mode=0o600)
    finally:
        os.close(dir_fd)
