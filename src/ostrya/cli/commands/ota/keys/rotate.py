# SPDX-License-Identifier: Apache-2.0
"""``ota keys rotate``: new keys for a role, in place of all that it has.

A new root is staged; it is published by `ota targets sign`, with keys of the old root and of the
new one. Where timestamp or snapshot get new keys, devices forget what the old ones signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import number, texts
from ostrya.cli.ota_author import DEFAULT_KIND, DIR, KEYS, KIND, open_author, time_now
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "ROLE"
OPTIONS = (
    DIR,
    KEYS,
    KIND,
    number("number", "N", "How many keys it gets; default: as many as have to sign"),
    number("threshold", "N", "How many of them have to sign; default: 1"),
    texts("keep", "DIR", "Where secret keys are put, in turn if repeated; default: in --dir"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Stage the new root."""
    from ostrya.uptane.author.roles import RolePlan, rotate

    if len(arguments.positionals) != 1:
        raise context.usage_error("one ROLE must be specified")
    work = open_author(arguments)
    threshold = arguments.number("threshold") or 1
    plan = RolePlan(
        arguments.number("number") or threshold, threshold, tuple(arguments.texts("keep"))
    )
    kind = arguments.text("key-type") or DEFAULT_KIND
    for key_id in rotate(work, arguments.positionals[0], kind, plan, time_now()):
        write_line(key_id)
    return 0
