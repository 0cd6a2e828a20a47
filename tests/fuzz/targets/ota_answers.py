# SPDX-License-Identifier: Apache-2.0
"""What a server answers to a device as JSON; the first byte says what it is taken for."""

from __future__ import annotations

from ostrya.uptane.client.answers import read_campaigns, read_refusal
from ostrya.uptane.errors import MetadataInvalid, UptaneRefusal


def _refusal(data: bytes) -> object:
    found = read_refusal(400 + data[0] % 4 if data else 409, data[1:])
    assert "\n" not in found.description + found.code
    assert len(found.description) <= 300
    if not found.code and not found.description:
        raise MetadataInvalid("it says nothing that is understood")
    return found


def _campaigns(data: bytes) -> object:
    found = read_campaigns(data)
    for one in found:
        assert one.campaign_id
        assert one.campaign_id.isprintable() or not one.campaign_id.isascii()
        assert "\n" not in one.campaign_id + one.name + one.description
        assert (one.size or 0) >= 0
    return found


READERS = (_refusal, _campaigns)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read an answer."""
    if not data:
        return None
    try:
        return READERS[data[0] % len(READERS)](data[1:])
    except UptaneRefusal as exc:
        exc.message.encode("utf-8", "surrogatepass")
        return exc
