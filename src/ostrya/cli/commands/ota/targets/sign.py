# SPDX-License-Identifier: Apache-2.0
"""``ota targets sign``: sign what is staged with the keys that are here, and publish it.

It is published once all of it has enough signatures. Until then the status is 1, and it says whose
are missing: put in the next medium, and sign again. With nothing staged, snapshot and timestamp are
signed anew, so that they do not expire. --renew stages what a role has, with a new lifetime,
before: `ota keys list` says when which expires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import texts
from ostrya.cli.ota_author import DIR, KEYS, open_author, time_now, write_published

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (
    DIR,
    KEYS,
    texts("renew", "ROLE", "Give a role a new lifetime: root, targets, or one that is trusted"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Sign, and publish if nothing is missing."""
    from ostrya.uptane.author.publish import publish
    from ostrya.uptane.author.roles import renew

    work, now = open_author(arguments), time_now()
    for role in arguments.texts("renew"):
        renew(work, role, now)
    return write_published(publish(work, now), context)
