# SPDX-License-Identifier: Apache-2.0
"""bmap files, their own checksum mended."""

from __future__ import annotations

import hashlib
import re

from ostrya.image.bmap import decode_bmap, encode_bmap
from ostrya.image.errors import DiskError

OWN = re.compile(rb"<BmapFileChecksum>\s*([0-9a-f]{64})\s*</")


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what is written of it is the same."""
    found = OWN.search(data)
    if found is not None:
        zeroed = data[: found.start(1)] + b"0" * 64 + data[found.end(1) :]
        digest = hashlib.sha256(zeroed).hexdigest().encode()
        data = data[: found.start(1)] + digest + data[found.end(1) :]
    try:
        bmap = decode_bmap(data)
    except DiskError as exc:
        return exc
    assert decode_bmap(encode_bmap(bmap)) == bmap
    return bmap
