# SPDX-License-Identifier: Apache-2.0
"""``ota targets sign``: sign what is staged with the keys that are here, and publish it.

It is published once all of it has enough signatures. Until then the status is 1, and it says whose
are missing: put in the next medium, and sign again. With nothing staged, snapshot and timestamp are
signed anew, so that they do not expire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_author import DIR, KEYS, open_author, time_now, write_published

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR, KEYS)


def run(arguments: Arguments, context: Context) -> int:
    """Sign, and publish if nothing is missing."""
    from ostrya.uptane.author.publish import publish

    return write_published(publish(open_author(arguments), time_now()), context)
