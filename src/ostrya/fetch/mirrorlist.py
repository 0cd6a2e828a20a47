# SPDX-License-Identifier: Apache-2.0
"""Mirror lists: one URL a line, empty lines and comments between them. Pure."""

from __future__ import annotations

from ostrya.fetch.addresses import parse_address
from ostrya.fetch.errors import AddressError, MirrorListError

MAX_MIRRORS = 256
"""Mirrors further down are not looked at."""


def parse_mirrorlist(text: str, url: str) -> tuple[str, ...]:
    """Return the mirrors of a list in its order, without those that are not on the web.

    Args:
        text: The list.
        url: Where it is from.

    Raises:
        MirrorListError: None is left.
    """
    mirrors: list[str] = []
    for line in text.split("\n"):
        mirror = line.strip()
        if not mirror or mirror.startswith("#") or mirror in mirrors:
            continue
        if _is_usable(mirror):
            mirrors.append(mirror)
            if len(mirrors) == MAX_MIRRORS:
                break
    if not mirrors:
        raise no_mirrors(url)
    return tuple(mirrors)


def no_mirrors(url: str) -> MirrorListError:
    """Return the error of a list without a mirror that can be used."""
    return MirrorListError(f"No valid mirrors were found in mirrorlist '{url}'")


def _is_usable(mirror: str) -> bool:
    try:
        address = parse_address(mirror)
    except AddressError:
        return False
    return address.scheme in {"http", "https"} and address.host != ""
