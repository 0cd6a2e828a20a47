# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.client.control.protocol import (
    MAX_LINE_BYTES,
    Request,
    Word,
    decode_request,
    encode_error,
    encode_event,
    encode_request,
    encode_result,
)
from ostrya.uptane.client.errors import ControlRefused


@pytest.mark.parametrize(
    "request_",
    [
        Request(Word.STATUS),
        Request(Word.CHECK, 7),
        Request(Word.ABORT, "seven"),
        Request(Word.CONSENT, 1, "accept", "ab"),
        Request(Word.CONSENT, 1, "postpone", "", 3600),
    ],
)
def test_requests_survive_the_way(request_):
    assert decode_request(encode_request(request_).rstrip(b"\n")) == request_


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[1]", "a JSON object"),
        (b"{}", "no request 'None'"),
        (b'{"request": "reboot"}', "no request 'reboot'"),
        (b'{"request": ["status"]}', "no request"),
        (b'{"request": "status", "x": 1}', "has no field 'x'"),
        (b'{"request": "status", "answer": "accept"}', "has no field 'answer'"),
        (b'{"request": "status", "id": 1.5}', "no integer"),
        (b'{"request": "status", "id": true}', "'id' is"),
        (b'{"request": "status", "id": [1]}', "'id' is"),
        (b'{"request": "status", "request": "abort"}', "comes twice"),
        (b'{"request": "consent"}', "'answer' is one of"),
        (b'{"request": "consent", "answer": "perhaps"}', "'answer' is one of"),
        (b'{"request": "consent", "answer": "postpone"}', "'seconds' says"),
        (b'{"request": "consent", "answer": "postpone", "seconds": -1}', "'seconds' says"),
        (b'{"request": "consent", "answer": "postpone", "seconds": 99999999}', "'seconds' says"),
        (b'{"request": "consent", "answer": "accept", "seconds": 5}', "'seconds' says"),
        (b'{"request": "consent", "answer": "accept", "seconds": true}', "an integer"),
        (b'{"request": "consent", "answer": "accept", "update": 5}', "'update' is"),
        (b"[" * 3000, "deep"),
        (b" " * (MAX_LINE_BYTES + 1), "more than"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_is_no_request(line, words):
    with pytest.raises(ControlRefused, match=words) as error:
        decode_request(line)
    assert error.value.code == "bad-request"


def test_answers():
    assert json.loads(encode_result(3, {"a": 1})) == {"id": 3, "ok": True, "result": {"a": 1}}
    refused = ControlRefused("busy", "no", "wait")
    assert json.loads(encode_error("x", refused)) == {
        "id": "x", "ok": False, "error": {"code": "busy", "message": "no", "hint": "wait"},
    }  # fmt: skip
    assert encode_event({"event": "phase", "phase": "a\nb"}).count(b"\n") == 1
