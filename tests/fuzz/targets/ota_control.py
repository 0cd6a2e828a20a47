# SPDX-License-Identifier: Apache-2.0
"""Requests to the control socket, line by line."""

from __future__ import annotations

from ostrya.uptane.client.control.protocol import decode_request, encode_error, encode_request
from ostrya.uptane.client.errors import ControlRefused


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read a request; what is written of it reads as the same."""
    try:
        found = decode_request(data)
    except ControlRefused as exc:
        encode_error(None, exc)
        return exc
    assert decode_request(encode_request(found).rstrip(b"\n")) == found
    return found
