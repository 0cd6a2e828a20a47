# SPDX-License-Identifier: Apache-2.0
"""``credentials.zip``, as a device and a tool are given it."""

from __future__ import annotations

from ostrya.errors import UptaneError
from ostrya.uptane.author.credentials import Credentials
from ostrya.uptane.credentials_zip import GATEWAY_URL, MAX_BYTES, decode_members


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read the members; no more comes of them than they may be."""
    try:
        found = decode_members(data, "it")
        assert sum(map(len, found.values())) <= MAX_BYTES
        credentials = Credentials(found)
        credentials.url(GATEWAY_URL)
        credentials.root_dialect()
        credentials.targets_key()
    except UptaneError as exc:
        exc.message.encode("utf-8", "surrogatepass")
        return exc
    return found
