# SPDX-License-Identifier: Apache-2.0
"""Metalinks."""

from __future__ import annotations

from ostrya.errors import FetchError
from ostrya.fetch.addresses import parse_address
from ostrya.fetch.metalink import MAX_TARGETS, parse_metalink


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse; what is taken has all that is needed to check a file, and addresses on the web."""
    try:
        value = parse_metalink(data, "summary")
    except FetchError as exc:
        exc.message.encode("utf-8")
        return exc
    assert value.size > 0
    assert len(bytes.fromhex(value.digest)) * 8 == int(value.hash_name.removeprefix("sha"))
    assert 0 < len(value.urls) <= MAX_TARGETS
    assert all(parse_address(url).scheme in {"http", "https"} for url in value.urls)
    return value
