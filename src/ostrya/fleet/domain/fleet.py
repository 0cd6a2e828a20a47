# SPDX-License-Identifier: Apache-2.0
"""A server that is open: its settings, its database, its authority and its two repositories."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from ostrya.fleet.certificates import Identity, load_identity
from ostrya.fleet.db.database import Database, bring_up_to_date, open_database
from ostrya.fleet.errors import SetupError
from ostrya.fleet.settings import Settings, read_settings
from ostrya.uptane.author.keyring import read_bounded
from ostrya.uptane.author.workplace import open_workplace

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.uptane.author.workplace import Workplace

AUTHORITY, DIRECTOR, IMAGE, TREEHUB = "ca", "director", "image", "treehub"
PROVISIONING = "provisioning"


def clock() -> datetime:
    """Return what the time is."""
    return datetime.now(UTC)


class Fleet:
    """An open server.

    Attributes:
        settings: What its owner decided.
        database: Where all is kept.
        authority: The fleet's own.
        director: The workplace of the Director.
        image: That of the Image repository.
        pass_key: By which a pass is known to be ours; nobody has it who has not the authority.
        now: Says what the time is.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        authority: Identity,
        now: Callable[[], datetime] = clock,
    ) -> None:
        self.settings = settings
        self.database = database
        self.authority = authority
        self.pass_key = hashlib.sha256(b"ostrya passes of tools\0" + authority.key_pem()).digest()
        self.director: Workplace = open_workplace(settings.path(DIRECTOR))
        self.image: Workplace = open_workplace(settings.path(IMAGE))
        self.now = now

    def timestamp(self) -> int:
        """Return what the time is, in seconds."""
        return int(self.now().timestamp())

    def close(self) -> None:
        """Close it."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def open_fleet(folder: str, *, linger_s: float = 0.0, now: Callable[[], datetime] = clock) -> Fleet:
    """Open a server, and bring its database up to date.

    Args:
        folder: Where it is.
        linger_s: How long a change waits for others, to be written with them.
        now: Says what the time is.

    Raises:
        SetupError: There is none, or it cannot be used.
        Unavailable: Its database does not answer.
    """
    settings = read_settings(folder)
    authority = read_identity(settings.path(AUTHORITY), "ca")
    database = open_database(settings.database_url, pool=settings.database.pool, linger_s=linger_s)
    try:
        bring_up_to_date(database)
        return Fleet(settings, database, authority, now)
    except BaseException:
        database.close()
        raise


def read_identity(folder: str, name: str) -> Identity:
    """Read a certificate and its key from a folder.

    Raises:
        SetupError: They are not there.
    """
    paths = [os.path.join(folder, f"{name}{suffix}") for suffix in (".pem", ".key")]
    try:
        certificate, key = (read_bounded(one) for one in paths)
    except FileNotFoundError as exc:
        raise SetupError(f"{exc.filename} is missing", hint="restore it from a backup") from None
    return load_identity(certificate, key, paths[0])
