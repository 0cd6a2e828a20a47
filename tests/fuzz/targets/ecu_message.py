# SPDX-License-Identifier: Apache-2.0
"""Messages between ECUs, as they come over a wire."""

from __future__ import annotations

from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.secondaries import asn1
from ostrya.uptane.client.secondaries.messages import decode, encode


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read a message; what is written of it reads as the same."""
    try:
        length = asn1.total_length(data, 1 << 20)
        assert length is None or length <= 1 << 20
        found = decode(data)
    except MessageInvalid as exc:
        exc.message.encode("utf-8", "surrogatepass")
        return exc
    assert decode(encode(found)) == found
    return found
