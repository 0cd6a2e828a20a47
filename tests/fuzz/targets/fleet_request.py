# SPDX-License-Identifier: Apache-2.0
"""What devices send to a server besides manifests; the first byte says what it is taken for."""

from __future__ import annotations

import asyncio

from ostrya.errors import UptaneError
from ostrya.fleet.api.downloads import parse_range
from ostrya.fleet.api.multipart import file_of
from ostrya.fleet.domain import device_data, events, manifests, registration
from ostrya.fleet.errors import BadRequest, TooLarge
from ostrya.uptane.metadata.json_text import parse_json

MAX = 1 << 20


def _registration(data: bytes) -> object:
    wanted = registration.read(data, MAX, 16)
    assert wanted.primary in wanted.ecus
    assert len(wanted.ecus) <= 16
    return wanted


def _events(data: bytes) -> object:
    told = events.read(data, MAX)
    for one in told:
        assert "\0" not in one.uuid + one.kind + one.device_time + one.text("ecu")
        assert one.success in {True, False, None}
    return told


def _report(data: bytes) -> object:
    value = parse_json(data, MAX, "a report")
    if not isinstance(value, dict):
        raise BadRequest("it is no object")
    report = manifests.read_report(value)
    assert "\0" not in report.correlation_id + report.result.code + report.result.description
    return report


def _form(data: bytes) -> object:
    async def pieces():
        for at in range(0, len(data), 7):
            yield data[at : at + 7]

    async def gather() -> bytes:
        return b"".join([piece async for piece in file_of(pieces(), "B")])

    found = asyncio.run(gather())
    assert found in data
    return found


def _range(data: bytes) -> object:
    found = parse_range(data.decode("latin-1"), 1000)
    if found:
        assert 0 <= found[0] < found[1] <= 1000
    return found


def _hardware(data: bytes) -> object:
    return device_data.check(device_data.HARDWARE, data)


def _config(data: bytes) -> object:
    return device_data.check(device_data.CONFIG, data)


KINDS = (_registration, _events, _report, _form, _range, _hardware, _config)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Take it apart."""
    if not data:
        return None
    try:
        return KINDS[data[0] % len(KINDS)](data[1:])
    except (BadRequest, TooLarge, UptaneError) as exc:
        exc.message.encode("utf-8", "surrogatepass")
        return exc
