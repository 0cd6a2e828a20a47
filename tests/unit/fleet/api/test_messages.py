# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json

import pytest

from ostrya.errors import RepoError
from ostrya.fleet.api.messages import (
    PEER,
    Gone,
    Patience,
    Request,
    device_answer,
    number_of,
    problem_answer,
    refusal_of,
)
from ostrya.fleet.errors import BadRequest, NotFound, NotWelcome, TooLarge, Unavailable


def request(*messages, headers=(), query=b"", timeout_s=5.0):
    scope = {
        "type": "http", "method": "PUT", "path": "/x", "headers": list(headers),
        "query_string": query, PEER: None,
    }  # fmt: skip
    waiting = list(messages)

    async def receive():
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return Request(scope, receive, Patience(timeout_s, 1000))


def piece(data, *, more=False):
    return {"type": "http.request", "body": data, "more_body": more}


def read(found, limit=10):
    return asyncio.run(found.body(limit))


def test_bodies_are_bounded_before_they_are_read():
    assert read(request(piece(b"12345", more=True), piece(b"67890"))) == b"1234567890"
    with pytest.raises(TooLarge):
        read(request(piece(b"123456", more=True), piece(b"78901", more=True)))
    with pytest.raises(TooLarge):
        read(request(headers=[(b"content-length", b"11")]))


def test_bodies_that_do_not_arrive():
    with pytest.raises(BadRequest) as caught:
        read(request(piece(b"1", more=True), timeout_s=0.05))
    assert caught.value.code == "request_timeout"
    drips = request(timeout_s=0.1)

    async def drip():
        await asyncio.sleep(0.01)
        return piece(b"", more=True)

    drips._receive = drip
    with pytest.raises(BadRequest) as caught:
        read(drips)
    assert caught.value.code == "request_timeout"
    assert Patience(5.0, 100).for_bytes(1000) == 15.0
    with pytest.raises(Gone):
        read(request(piece(b"1", more=True), {"type": "http.disconnect"}))


def test_queries():
    assert request(query=b"a=1&b=%20").query() == {"a": "1", "b": " "}
    for query in (b"a=1&a=2", b"a=%ff", b"\xff=1", b"&".join([b"a%d=1" % at for at in range(99)])):
        with pytest.raises(BadRequest):
            request(query=query).query()
    assert number_of({}, "n", 7) == 7
    assert number_of({"n": "3"}, "n", 7) == 3
    for text in ("", "-1", "x", "\u00b2", "9" * 30, "101"):
        with pytest.raises(BadRequest):
            number_of({"n": text}, "n", 7, 100)


def test_a_connection_ends_on_which_the_rest_may_still_come():
    for error in (TooLarge("much"), BadRequest("late", code="request_timeout")):
        assert dict(device_answer(error).headers)[b"connection"] == b"close"
        assert dict(problem_answer(error).headers)[b"connection"] == b"close"
    assert device_answer(BadRequest("x")).headers == ()


def test_errors_as_devices_and_tools_know_them():
    error = NotFound("no x", code="missing_x", hint="look")
    value = json.loads(device_answer(error).body)
    assert (value["code"], value["description"]) == ("missing_x", "no x (look)")
    assert len(value["errorId"]) == 36
    value = json.loads(problem_answer(error).body)
    assert value == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "no x",
        "code": "missing_x", "hint": "look",
    }  # fmt: skip
    assert dict(problem_answer(NotWelcome("who")).headers)[b"www-authenticate"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(28, "No space left on device"), "unavailable"),
        (RepoError("locked"), "unavailable"),
        (KeyError("x"), "internal_error"),
    ],
)
def test_what_is_not_the_clients_fault(error, code, caplog):
    found = refusal_of(error, "PUT /x")
    assert isinstance(found, Unavailable)
    assert found.code == code
    assert "PUT /x" in caplog.text
