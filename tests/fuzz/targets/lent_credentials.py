# SPDX-License-Identifier: Apache-2.0
"""What a Primary lends an ECU: a zip, or a tar archive that is compressed."""

from __future__ import annotations

import gzip

from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.secondaries.zip_credentials import read_credentials

LARGEST = 64 * 1024


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read it; what is neither is taken for a tar archive, for the checksum of gzip hides those."""
    packed = data if data[:2] in {b"PK", b"\x1f\x8b"} else gzip.compress(data, 1)
    try:
        found = read_credentials(packed)
    except MessageInvalid as exc:
        return exc
    assert set(found) == {"ca.pem", "client.pem", "pkey.pem", "server.url"}
    assert all(len(member) <= LARGEST for member in found.values())
    return found
