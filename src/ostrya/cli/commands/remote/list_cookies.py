# SPDX-License-Identifier: Apache-2.0
"""``remote list-cookies``: the cookies of a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.fetch.cookies import list_cookies

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Print one paragraph for each cookie."""
    if not arguments.positionals:
        raise context.usage_error("NAME must be specified")
    cookies = list_cookies(context.repo.dir_fd, arguments.positionals[0])
    if context.json:
        write_json([cookie._asdict() for cookie in cookies])
        return 0
    for cookie in cookies:
        write_line(
            f"--\nDomain: {cookie.domain}\nPath: {cookie.path}\nName: {cookie.name}\n"
            f"Secure: {cookie.secure}\nExpires: {cookie.expires}\nValue: {cookie.value}"
        )
    return 0
