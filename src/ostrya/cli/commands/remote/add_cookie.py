# SPDX-License-Identifier: Apache-2.0
"""``remote add-cookie``: a cookie that a remote's servers get with every request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.fetch.cookies import add_cookie, new_cookie

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME DOMAIN PATH COOKIE_NAME VALUE"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Write the cookie into the remote's jar."""
    if len(arguments.positionals) < 5:
        raise context.usage_error("NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified")
    remote, domain, path, name, value = arguments.positionals[:5]
    cookie = new_cookie(domain, path, name, value, now=int(time.time()))
    add_cookie(context.repo.dir_fd, remote, cookie)
    return 0
