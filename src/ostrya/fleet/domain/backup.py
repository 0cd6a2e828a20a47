# SPDX-License-Identifier: Apache-2.0
"""Copies of a server, and how one goes on from a copy.

A copy is a folder like that of the server: settings, authority, keys, both repositories with their
images, and the database. Commits are not in it: the treehub is a repository, and is copied as one.

What was signed after a copy was made has higher versions than what is in it, and devices refuse
what is older than what they know. So a server that goes on from a copy signs everything anew, with
versions that no server has come to before.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ostrya._linux.atomic import temporary_name
from ostrya._linux.dirfd import open_dir
from ostrya._linux.durability import sync_filesystem
from ostrya.fleet.db import updates
from ostrya.fleet.domain.director import minutes_at
from ostrya.fleet.domain.fleet import AUTHORITY, DIRECTOR, IMAGE, TREEHUB
from ostrya.fleet.domain.jobs import refresh_vehicles
from ostrya.fleet.domain.setup import create_treehub
from ostrya.fleet.errors import SetupError
from ostrya.fleet.settings import FILE
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.roles import stage_targets

if TYPE_CHECKING:
    from ostrya.fleet.domain.services import Services

DATABASE, MANIFESTS = "fleet.db", "manifests"


class Recovered(NamedTuple):
    """What a server signed that goes on from a copy.

    Attributes:
        vehicles: For how many it signed.
        roles: Of the Image repository, which ones.
        elsewhere: And which ones have their keys elsewhere.
    """

    vehicles: int
    roles: tuple[str, ...]
    elsewhere: tuple[str, ...]


def write_backup(services: Services, folder: str) -> bool:
    """Copy a server into a new folder, while it may be running; say whether the database is in it.

    Raises:
        SetupError: There is something already.
        OSError: It cannot be written.
    """
    folder = folder.rstrip("/") or "/"
    parent = os.path.dirname(folder) or "."
    if os.path.lexists(folder) or not os.path.isdir(parent):
        raise SetupError(
            f"no copy can be made at {folder}",
            hint="name a folder that is not there yet, in one that is",
        )
    building = os.path.join(parent, temporary_name())
    os.mkdir(building, 0o700)
    try:
        has_database = _copy_all(services, building)
        parent_fd = open_dir(parent, follow=True)
        try:
            sync_filesystem(parent_fd)
            os.rename(building, folder)
            os.fsync(parent_fd)
        finally:
            os.close(parent_fd)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return has_database


def _copy_all(services: Services, building: str) -> bool:
    settings, database = services.settings, services.fleet.database
    # Nobody publishes meanwhile, so that what is assigned is there.
    with services.images.change():
        for name in (AUTHORITY, DIRECTOR, IMAGE, MANIFESTS):
            source = settings.path(name)
            if os.path.isdir(source):
                ignored = shutil.ignore_patterns(".lock")
                shutil.copytree(source, os.path.join(building, name), ignore=ignored)
        shutil.copy2(settings.path(FILE), os.path.join(building, FILE))
        if database.is_sqlite:
            database.copy_to(os.path.join(building, DATABASE))
    with create_treehub(os.path.join(building, TREEHUB)):
        pass
    return database.is_sqlite


def recover(services: Services) -> Recovered:
    """Sign everything anew, with versions beyond all that may have been signed since a copy.

    Raises:
        Unavailable: The database does not take it.
        OSError: It cannot be written.
    """
    now = services.fleet.now()
    beyond = minutes_at(now)
    images = services.images
    with images.change() as work:
        roles = [role for role in images.role_names() if images.is_here(role)]
        for role in roles:
            targets = work.newest_targets(role)
            if targets is not None:
                stage_targets(work, role, targets, now, beyond=beyond)
        publish(work, now, beyond=beyond)
    services.fleet.database.write(
        lambda connection: updates.let_all_files_expire(connection, beyond)
    )
    count = refresh_vehicles(services)
    elsewhere = tuple(role for role in images.role_names() if role not in roles)
    return Recovered(count, tuple(roles), elsewhere)
