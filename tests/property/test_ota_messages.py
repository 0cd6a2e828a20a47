# SPDX-License-Identifier: Apache-2.0
"""Messages between ECUs, and lines of the control socket: what is written reads as the same."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.uptane.client.control.protocol import (
    MOST_SECONDS,
    Request,
    Word,
    decode_request,
    encode_request,
)
from ostrya.uptane.client.errors import ControlRefused, MessageInvalid
from ostrya.uptane.client.secondaries import asn1, messages
from ostrya.uptane.client.secondaries.messages import MetaFile, decode, encode

SOME = settings(max_examples=150)
TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
BYTES = st.binary(max_size=70_000)
INTEGER = st.integers(-(2**63), 2**63 - 1)
FILES = st.lists(st.builds(MetaFile, TEXT, BYTES), max_size=3).map(tuple)
FIELDS = {
    messages._T: TEXT,
    messages._O: BYTES,
    messages._I: INTEGER,
    messages._E: INTEGER,
    messages._Shape.FILES: FILES,
    messages._Shape.FOUR: st.tuples(*[st.binary(max_size=99)] * 4),
    messages._Shape.TWO: st.tuples(*[st.binary(max_size=99)] * 2),
}
MESSAGES = st.one_of(
    st.tuples(*(FIELDS[shape] for shape in shapes)).map(lambda values, kind=kind: kind(*values))
    for kind, shapes in messages._KINDS
)


@SOME
@given(MESSAGES)
def test_messages_survive_the_way(message):
    data = encode(message)
    assert decode(data) == message
    assert asn1.total_length(data, len(data)) == len(data)


@SOME
@given(MESSAGES, st.data())
def test_a_message_that_is_cut_is_not_whole(message, data):
    whole = encode(message)
    at = data.draw(st.integers(0, len(whole) - 1))
    length = asn1.total_length(whole[:at], len(whole))
    assert length is None or length == len(whole)
    try:
        decode(whole[:at])
    except MessageInvalid:
        return
    raise AssertionError("half a message was read")


@SOME
@given(INTEGER)
def test_numbers_survive(value):
    element = asn1.read(asn1.write_integer(value), "it")
    assert asn1.read_integer(element.content, "it") == value
    # In as few bytes as hold it.
    shorter = element.content[1:]
    assert not shorter or int.from_bytes(shorter, "big", signed=True) != value


@SOME
@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data):
    with contextlib.suppress(MessageInvalid):
        assert decode(encode(decode(data))) == decode(data)


PLAIN = st.sampled_from([one for one in Word if one is not Word.CONSENT])
IDS = st.none() | st.integers(-(2**40), 2**40) | st.text(st.characters(codec="ascii"), max_size=64)
REQUESTS = st.tuples(PLAIN, IDS).map(lambda one: Request(*one)) | st.integers(1, MOST_SECONDS).map(
    lambda seconds: Request(Word.CONSENT, 7, "postpone", "ab", seconds)
)


@SOME
@given(REQUESTS)
def test_requests_survive_the_way(request):
    line = encode_request(request)
    assert line.count(b"\n") == 1
    assert decode_request(line[:-1]) == request


@SOME
@given(st.binary(max_size=200))
def test_any_line_is_a_request_or_refused(line):
    with contextlib.suppress(ControlRefused):
        decode_request(line)
