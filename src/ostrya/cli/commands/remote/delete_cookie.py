# SPDX-License-Identifier: Apache-2.0
"""``remote delete-cookie``: forget a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fetch.cookies import delete_cookie

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME DOMAIN PATH COOKIE_NAME"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Take the cookie out of the remote's jar."""
    if len(arguments.positionals) < 4:
        raise context.usage_error("NAME, DOMAIN, PATH and COOKIE_NAME must be specified")
    remote, domain, path, name = arguments.positionals[:4]
    delete_cookie(context.repo.dir_fd, remote, domain=domain, path=path, name=name)
    return 0
