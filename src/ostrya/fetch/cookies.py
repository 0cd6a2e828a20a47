# SPDX-License-Identifier: Apache-2.0
"""The cookies of a remote, in ``<remote>.cookies.txt`` of the repository.

One line each, in the format of Netscape's browser, fields separated by tabs::

    domain  TRUE if subdomains get it too  path  TRUE if only over TLS  expiry  name  value

The file is replaced as a whole; it may hold secrets, so only its owner may read a new one.

Source: ot-remote-cookie-util.c; curl.se/docs/http-cookies.html.
"""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, read_file
from ostrya.fetch.errors import CookieError
from ostrya.named_tuple import NamedTuple

MAX_JAR_BYTES = 1024 * 1024
"""A jar is not longer."""
_FIELDS = 7
_LIFE_YEARS = 25
_NOT_IN_FIELDS = re.compile(r"[\s\x00-\x1f\x7f]")


class Cookie(NamedTuple):
    """One cookie, with the fields as they stand in the file.

    Attributes:
        domain: The host that gets it, or a domain with a dot in front.
        subdomains: ``TRUE`` if its subdomains get it too.
        path: Below which it is sent.
        secure: ``TRUE`` if it is sent over TLS only.
        expires: Seconds since the epoch; 0 for never.
        name: Its name.
        value: Its value.
    """

    domain: str
    subdomains: str
    path: str
    secure: str
    expires: int
    name: str
    value: str


def jar_name(remote: str) -> str:
    """Return the name of a remote's jar in its repository."""
    return f"{remote}.cookies.txt"


def parse_cookie(line: str) -> Cookie | None:
    """Parse a line of a jar; None if it holds no cookie."""
    fields = line.split()
    if len(fields) < _FIELDS or line.startswith("# "):
        return None
    if re.fullmatch(r"[0-9]{1,18}", fields[4]) is None:
        return None
    domain, subdomains, path, secure, expires, name, value = fields[:_FIELDS]
    return Cookie(domain, subdomains, path, secure, int(expires), name, value)


def format_cookie(cookie: Cookie) -> str:
    """Return the line of a cookie, without its end.

    Raises:
        CookieError: A field is empty, or holds what separates fields.
    """
    texts = [str(field) for field in cookie]
    for text in texts:
        if not text or _NOT_IN_FIELDS.search(text):
            raise CookieError(f"Invalid part of a cookie: {text!r}")
    if texts[0].startswith("#"):
        raise CookieError(f"Invalid domain of a cookie: {texts[0]!r}")
    return "\t".join(texts)


def list_cookies(repo_fd: int, remote: str) -> list[Cookie]:
    """Return the cookies of a remote, in the order of the file."""
    cookies = (parse_cookie(line) for line in _read_lines(repo_fd, remote))
    return [cookie for cookie in cookies if cookie is not None]


def new_cookie(domain: str, path: str, name: str, value: str, *, now: int) -> Cookie:
    """Return a cookie that lasts 25 years from ``now``, over TLS and without."""
    subdomains = "TRUE" if domain.startswith(".") else "FALSE"
    return Cookie(domain, subdomains, path, "FALSE", _years_later(now), name, value)


def add_cookie(repo_fd: int, remote: str, cookie: Cookie) -> None:
    """Append a cookie.

    Raises:
        CookieError: It cannot be written in one line.
    """
    line = format_cookie(cookie)
    _write_lines(repo_fd, remote, [*_read_lines(repo_fd, remote), line])


def delete_cookie(repo_fd: int, remote: str, *, domain: str, path: str, name: str) -> None:
    """Take a cookie away.

    Raises:
        CookieError: There is none of this name at that place.
    """
    before = _read_lines(repo_fd, remote)
    after = []
    for line in before:
        cookie = parse_cookie(line)
        if cookie is None or (cookie.domain, cookie.path, cookie.name) != (domain, path, name):
            after.append(line)
    if len(after) == len(before):
        raise CookieError("Cookie not found in jar")
    _write_lines(repo_fd, remote, after)


def _years_later(now: int) -> int:
    then = datetime.fromtimestamp(now, UTC)
    try:
        then = then.replace(year=then.year + _LIFE_YEARS)
    except ValueError:  # the 29th of February
        then = then.replace(year=then.year + _LIFE_YEARS, day=28)
    return int(then.timestamp())


def _read_lines(repo_fd: int, remote: str) -> list[str]:
    name = jar_name(remote)
    try:
        content = read_file(name, dir_fd=repo_fd, max_bytes=MAX_JAR_BYTES)
    except FileNotFoundError:
        return []
    except FileTooLargeError as exc:
        raise CookieError(f"{name} is longer than {MAX_JAR_BYTES} bytes") from exc
    return [line for line in content.decode("utf-8", "surrogateescape").split("\n") if line]


def _write_lines(repo_fd: int, remote: str, lines: list[str]) -> None:
    name = jar_name(remote)
    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    try:
        mode = stat.S_IMODE(os.stat(name, dir_fd=repo_fd, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        mode = 0o600
    replace_file(name, content, dir_fd=repo_fd, mode=mode)
