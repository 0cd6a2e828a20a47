# SPDX-License-Identifier: Apache-2.0
"""URLs: the user and password that may be in them, and how they are shown. Pure."""

from __future__ import annotations

import re

from ostrya.fetch.errors import AddressError
from ostrya.named_tuple import NamedTuple

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
# Said by what is in them: to compile the million others takes milliseconds.
_NOT_IN_URLS = re.compile(r"[^\x21-\x7e]")


class Address(NamedTuple):
    """A URL taken apart as far as it matters here.

    Attributes:
        scheme: In lower case.
        host: With its port.
        url: Without user and password, in ASCII.
        user: Empty if there is none.
        password: Empty if there is none.
    """

    scheme: str
    host: str
    url: str
    user: str = ""
    password: str = ""


def parse_address(url: str) -> Address:
    """Take a URL apart.

    Raises:
        AddressError: It has no scheme or holds control characters.
    """
    match = _PARTS.fullmatch(url)
    if match is None:
        raise AddressError(f"Invalid URI '{hide_password(url)}'")
    scheme, authority, rest = match[1].lower(), match[2], match[3].partition("#")[0]
    userinfo, _, host = authority.rpartition("@")
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise AddressError(f"Invalid URI {hide_password(url)!r}")
    plain = _NOT_IN_URLS.sub(_quote, f"{scheme}://{host}{rest}")
    if not userinfo:
        return Address(scheme, host.lower(), plain)
    from urllib.parse import unquote

    user, _, password = userinfo.partition(":")
    return Address(scheme, host.lower(), plain, unquote(user), unquote(password))


def hide_password(url: str) -> str:
    """Return a URL as it may be shown: without user and password."""
    head, slashes, rest = url.partition("://")
    authority = re.match(r"[^/?#]*", rest)
    if not slashes or authority is None or "@" not in authority[0]:
        return url
    return f"{head}://{rest[authority[0].rindex('@') + 1 :]}"


def _quote(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))
