# SPDX-License-Identifier: Apache-2.0
"""``POST /oauth2/token``: a pass for a tool's secret, as garage-push and `ostrya push` ask for it.

::

    Authorization: Basic NAME:SECRET, or client_id and client_secret in the form
    grant_type=client_credentials
    → {"access_token": …, "token_type": "Bearer", "expires_in": 3600, "scope": "push"}

Source: RFC 6749, sections 2.3.1, 4.4 and 5.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from ostrya.fleet import auth
from ostrya.fleet.api.messages import JSON, Answer, json_answer
from ostrya.fleet.errors import NotWelcome

if TYPE_CHECKING:
    from ostrya.fleet.api.messages import Headers, Request
    from ostrya.fleet.domain.services import Services
    from ostrya.uptane.metadata.json_text import Object

PATH = "/oauth2/token"
_MAX_BYTES = 16 * 1024
_NOT_KEPT: Headers = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
_WHO: Headers = ((b"www-authenticate", b'Basic realm="ostrya"'),)


async def answer(services: Services, request: Request) -> Answer:
    """Return a pass, or why there is none."""
    if request.method != "POST":
        return _error(405, "invalid_request", "a pass is asked for by POST")
    body = await request.body(_MAX_BYTES)
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=bool(body), max_num_fields=16)
    except ValueError:
        return _error(400, "invalid_request", "the form cannot be read")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return _error(400, "invalid_request", "the form says something twice")
    if fields.get("grant_type") != "client_credentials":
        return _error(400, "unsupported_grant_type", "grant_type has to be client_credentials")
    client, secret = _client_in(request.header("authorization")) or (
        fields.get("client_id", ""),
        fields.get("client_secret", ""),
    )
    try:
        text, may = await asyncio.to_thread(auth.make_pass, services.fleet, client, secret)
    except NotWelcome as exc:
        return _error(401, "invalid_client", exc.message)
    value: Object = {
        "access_token": text,
        "token_type": "Bearer",
        "expires_in": auth.PASS_S,
        "scope": may,
    }
    return json_answer(value, 200, _NOT_KEPT)


def _client_in(authorization: str) -> tuple[str, str] | None:
    """Return name and secret of who asks, each of which may be spelled as in a form."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _error(status: int, code: str, words: str) -> Answer:
    value = {"error": code, "error_description": words}
    headers = (*_NOT_KEPT, *(_WHO if status == 401 else ()))
    return Answer(status, json.dumps(value).encode(), JSON, headers)
