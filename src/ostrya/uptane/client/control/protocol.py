# SPDX-License-Identifier: Apache-2.0
r"""Requests and answers of the control socket, one JSON object on each line. Pure.

::

    {"id": 1, "request": "consent", "answer": "accept", "update": "5f…"}\n
    {"id": 1, "ok": true, "result": {…}}\n
    {"id": 1, "ok": false, "error": {"code": "busy", "message": "…", "hint": "…"}}\n
    {"event": "progress", …}\n
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.errors import ControlRefused
from ostrya.uptane.errors import UptaneRefusal
from ostrya.uptane.metadata.json_text import parse_json

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json, Object

MAX_LINE_BYTES = 4096
MOST_SECONDS = 30 * 24 * 3600
_MAX_ID = 64


class Word(StrEnum):
    """What can be asked for."""

    STATUS = "status"
    CHECK = "check"
    DOWNLOAD = "download"
    INSTALL = "install"
    UPDATE = "update"
    CONSENT = "consent"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


_FIELDS: dict[Word, frozenset[str]] = {
    Word.CONSENT: frozenset({"answer", "update", "seconds"}),
}
_ANSWERS = ("accept", "decline", "postpone")


class Request(NamedTuple):
    """A request.

    Attributes:
        word: What is asked for.
        request_id: What the answer is to carry; None for nothing.
        answer: To an update: ``accept``, ``decline`` or ``postpone``.
        update: Which update that is about; empty for the one that is asked about.
        seconds: For how long it is postponed.
    """

    word: Word
    request_id: int | str | None = None
    answer: str = ""
    update: str = ""
    seconds: int = 0


def decode_request(line: bytes) -> Request:
    """Read a line.

    Raises:
        ControlRefused: It is no request; its code is ``bad-request``.
    """
    try:
        found = parse_json(line, MAX_LINE_BYTES, "the request")
    except UptaneRefusal as exc:
        raise _bad(exc.message) from None
    if not isinstance(found, dict):
        raise _bad("a request is a JSON object on a line")
    word = _word(found.get("request"))
    allowed = {"id", "request"} | _FIELDS.get(word, frozenset())
    unknown = sorted(found.keys() - allowed)
    if unknown:
        raise _bad(f"the request {word} has no field {unknown[0][:40]!r}")
    request = Request(word, request_id(found))
    return _with_answer(request, found) if word is Word.CONSENT else request


def request_id(found: Object) -> int | str | None:
    """Return what an answer is to carry.

    Raises:
        ControlRefused: It is neither a number nor a short text.
    """
    value = found.get("id")
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and len(value) <= _MAX_ID:
        return value
    raise _bad(f"'id' is an integer, or a text of up to {_MAX_ID} characters")


def _word(value: Json) -> Word:
    try:
        return Word(str(value))
    except ValueError:
        known = ", ".join(Word)
        raise _bad(f"there is no request {str(value)[:40]!r}", f"known are {known}") from None


def _with_answer(request: Request, found: Object) -> Request:
    answer, update = found.get("answer"), found.get("update", "")
    seconds = found.get("seconds", 0)
    if answer not in _ANSWERS or not isinstance(answer, str):
        raise _bad(f"'answer' is one of {', '.join(_ANSWERS)}")
    if not isinstance(update, str) or len(update) > _MAX_ID:
        raise _bad("'update' is what the status calls the update")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise _bad("'seconds' is an integer")
    if not 0 <= seconds <= MOST_SECONDS or (answer == "postpone") != (seconds > 0):
        raise _bad(
            f"'seconds' says for how long an update is postponed: from 1 to {MOST_SECONDS},"
            " and nothing for any other answer"
        )
    return request._replace(answer=answer, update=update, seconds=seconds)


def _bad(message: str, hint: str = "") -> ControlRefused:
    return ControlRefused("bad-request", message, hint)


def encode_request(request: Request) -> bytes:
    """Return the line of a request."""
    found: Object = {"request": request.word.value}
    if request.request_id is not None:
        found["id"] = request.request_id
    for name in ("answer", "update", "seconds"):
        value = getattr(request, name)
        if value:
            found[name] = value
    return _line(found)


def encode_result(request_id: int | str | None, result: Object) -> bytes:
    """Return the line that answers a request."""
    return _line({"id": request_id, "ok": True, "result": result})


def encode_error(request_id: int | str | None, error: ControlRefused) -> bytes:
    """Return the line that refuses a request."""
    told: Object = {"code": error.code, "message": error.message}
    if error.hint:
        told["hint"] = error.hint
    return _line({"id": request_id, "ok": False, "error": told})


def encode_event(event: Object) -> bytes:
    """Return the line that tells something to those who subscribed."""
    return _line(event)


def _line(value: Object) -> bytes:
    return json.dumps(value, sort_keys=True).encode() + b"\n"
