# SPDX-License-Identifier: Apache-2.0
"""``admin set-origin``: say what a deployment follows, and add the remote if it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import number, texts
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index, set_origin
from ostrya.sysroot.order import require_booted

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "REMOTENAME URL [BRANCH]"
OPTIONS = (
    texts("set", "KEY=VALUE", "Write a setting of the remote", short="s"),
    number("index", "INDEX", "Of this deployment; default: the running one"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Say it."""
    words = arguments.positionals
    if len(words) < 2:
        raise context.usage_error("REMOTENAME and URL must be specified")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        index = arguments.number("index")
        if index is None or index == -1:
            deployment = require_booted(loaded)
        else:
            deployment = loaded.all[find_index(loaded, str(index))]
        set_origin(
            sysroot,
            deployment,
            words[0],
            words[1],
            branch=words[2] if len(words) > 2 else None,
            settings=[_split(word) for word in arguments.texts("set")],
        )
    return 0


def _split(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals:
        raise UsageError("Missing '=' in KEY=VALUE for --set")
    return key, value
