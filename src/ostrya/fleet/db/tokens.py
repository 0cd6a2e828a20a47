# SPDX-License-Identifier: Apache-2.0
"""Queries about secrets that open the other door; only their digests are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from ostrya.fleet.db import schema
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Token(NamedTuple):
    """A secret that somebody was given.

    Attributes:
        digest: Its SHA-256, hexadecimal.
        name: To whom, or what for.
        may: ``admin`` for everything, ``push`` for commits, images and metadata, ``watch`` for
            measurements.
        created: When.
        revoked: When it was withdrawn; None if it is good.
    """

    digest: str
    name: str
    may: str
    created: int
    revoked: int | None = None


def add_token(connection: Connection, token: Token) -> None:
    """Keep the digest of a secret."""
    connection.execute(insert(schema.tokens).values(**token._asdict()))


def find_token(connection: Connection, digest: str) -> Token | None:
    """Return what is known of a secret by its digest; None for nothing."""
    table = schema.tokens
    row = connection.execute(select(*table.c).where(table.c.digest == digest)).first()
    return Token._make(row) if row else None


def list_tokens(connection: Connection) -> tuple[Token, ...]:
    """Return all that were given, the oldest first."""
    table = schema.tokens
    query = select(*table.c).order_by(table.c.created, table.c.name)
    return tuple(Token._make(row) for row in connection.execute(query))


def revoke_tokens(connection: Connection, name: str, now: int) -> int:
    """Withdraw all that somebody was given; return how many."""
    table = schema.tokens
    done = connection.execute(
        update(table).where(table.c.name == name, table.c.revoked.is_(None)).values(revoked=now)
    )
    return done.rowcount
