# SPDX-License-Identifier: Apache-2.0
"""Digests of files, by algorithm."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from ostrya.uptane.errors import MetadataInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ostrya.uptane.metadata.fields import Fields

KNOWN = {"sha256": 64, "sha512": 128}
"""Algorithms that count, and how many hexadecimal digits their digests have."""
_MAX_HASHES = 16
_HEX = re.compile(r"[0-9a-fA-F]+")


def read_hashes(fields: Fields, key: str) -> dict[str, str]:
    """Read digests.

    Raises:
        MetadataInvalid: One is none.
    """
    found: dict[str, str] = {}
    listed = fields.mapping(key)
    if len(listed) > _MAX_HASHES:
        raise fields.wrong(key, f"a list of more than {_MAX_HASHES}")
    for name, value in listed.items():
        if not isinstance(value, str) or not value:
            raise fields.wrong(key, f"without text for {name[:40]}")
        digits = KNOWN.get(name)
        if digits is not None and (len(value) != digits or not _HEX.fullmatch(value)):
            raise fields.wrong(key, f"not {digits} hexadecimal digits for {name}")
        found[name] = value
    return found


def require_known_hash(hashes: Mapping[str, str], where: str) -> None:
    """Refuse digests that say nothing here.

    Raises:
        MetadataInvalid: None is of a known algorithm.
    """
    if not KNOWN.keys() & hashes.keys():
        raise MetadataInvalid(f"{where} has no digest by {' or '.join(KNOWN)}")


def digest(algorithm: str, data: bytes) -> str:
    """Return a digest by one of `KNOWN`, hexadecimal."""
    return hashlib.new(algorithm, data).hexdigest()


def digests(data: bytes, algorithms: Iterable[str] = ("sha256",)) -> dict[str, str]:
    """Return digests by some of `KNOWN`."""
    return {name: digest(name, data) for name in algorithms}


def wrong_digests(hashes: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """Return the known algorithms by which something is not what was said."""
    return tuple(
        name
        for name in KNOWN
        if name in hashes and not hmac.compare_digest(hashes[name].lower(), found.get(name, ""))
    )
