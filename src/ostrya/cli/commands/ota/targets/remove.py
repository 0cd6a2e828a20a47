# SPDX-License-Identifier: Apache-2.0
"""``ota targets remove``: stage Targets without an image; no device installs it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_author import DIR, KEYS, open_author, time_now

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (DIR, KEYS)


def run(arguments: Arguments, context: Context) -> int:
    """Stage it."""
    from ostrya.uptane.author.images import remove

    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    remove(open_author(arguments), arguments.positionals[0], time_now())
    return 0
