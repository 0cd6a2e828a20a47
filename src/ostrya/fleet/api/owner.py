# SPDX-License-Identifier: Apache-2.0
"""Requests about the server itself: how it is, what happened, and who may come by this door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fleet import auth
from ostrya.fleet.api import views
from ostrya.fleet.api.devices import LIMIT
from ostrya.fleet.api.messages import number_of
from ostrya.fleet.api.routes import Parameter, Spec, done, following, text
from ostrya.fleet.api.schemas import TEXT, opened
from ostrya.fleet.certificates import Purpose
from ostrya.fleet.db import devices, log, tokens
from ostrya.fleet.domain.assignments import check_name
from ostrya.fleet.domain.status import look
from ostrya.fleet.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ostrya.fleet.api.routes import Call
    from ostrya.fleet.domain.fleet import Fleet
    from ostrya.uptane.metadata.json_text import Json, Object

_FILTERS = {"device": "device_id", "type": "type", "ecu": "ecu", "correlation_id": "correlation_id"}


def _status(call: Call) -> Json:
    return views.status(look(call.services))


def _events(call: Call) -> Json:
    where = {_FILTERS[name]: value for name, value in call.query.items() if name in _FILTERS}
    limit = call.limit
    last = number_of(call.query, "last", 0, 1000)
    after = -last if last else number_of(call.query, "after", 0)
    with call.services.fleet.database.read() as connection:
        found = log.list_events(connection, where, after=after, limit=max(limit, last))
    shown: list[Json] = [views.event(one) for one in found]
    newest = str(found[-1].id) if found else ""
    return {"events": shown, "next": following(found, limit, newest)}


def _tokens(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        found = tokens.list_tokens(connection)
    return {"tokens": [views.token(one) for one in found]}


def _add_token(call: Call) -> Json:
    fields = call.fields()
    name, may = text(fields, "name"), text(fields, "may", auth.PUSH)
    done(fields)
    return {"name": name, "may": may, "secret": make_token(call.services.fleet, name, may)}


def make_token(fleet: Fleet, name: str, may: str) -> str:
    """Make a secret for a tool, and return it; nobody can read it again.

    Raises:
        BadRequest: There is no such right, or nobody can be called so.
    """
    check_name(name, "the name of the token")
    if may not in auth.RIGHTS:
        raise BadRequest(f"{may!r} is no right", hint=f"there are {', '.join(auth.RIGHTS)}")
    secret = auth.new_secret()
    row = tokens.Token(auth.digest(secret), name, may, fleet.timestamp())
    fleet.database.write(lambda connection: tokens.add_token(connection, row))
    return secret


def _revoke_token(call: Call) -> Json:
    revoke_tokens(call.services.fleet, call.path["name"])
    return None


def revoke_tokens(fleet: Fleet, name: str) -> int:
    """Withdraw all secrets and certificates of a tool; return how many were good.

    Raises:
        NotFound: There are none.
    """
    now = fleet.timestamp()

    def revoke(connection: Connection) -> int:
        count = tokens.revoke_tokens(connection, name, now)
        count += devices.revoke_certificates(
            connection, name, "it was withdrawn", now, purpose=Purpose.TOOL.value
        )
        devices.note_change(connection, name)
        return count

    count = fleet.database.write(revoke)
    if not count:
        raise NotFound(f"there is no token {name[:200]!r} that is good", code="missing_token")
    return count


_TOKEN: Object = {"name": TEXT, "may": {"enum": ["admin", "push", "watch"]}}
SPECS = (
    Spec("GET", "/status", "showStatus", "Show how the server is", _status, "Status"),
    Spec(
        "GET", "/events", "listEvents", "List what happened, the oldest first", _events, "Events",
        query=(
            Parameter("after", "Only events with a larger id", is_number=True), LIMIT,
            Parameter("last", "The newest, that many, instead", is_number=True),
            *(Parameter(name, f"Only events of this {name}") for name in _FILTERS),
        ),
    ),
    Spec("GET", "/tokens", "listTokens", "List who was given a secret", _tokens, "Tokens"),
    Spec(
        "POST", "/tokens", "addToken", "Make a secret for a tool", _add_token, "NewToken",
        opened(_TOKEN, "name"), status=201,
    ),
    Spec(
        "DELETE", "/tokens/{name}", "revokeToken", "Withdraw all secrets of a name", _revoke_token,
        status=204,
    ),
)  # fmt: skip
