# SPDX-License-Identifier: Apache-2.0
"""``ota targets list``: images, published or staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_author import DIR, open_author
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    from ostrya.uptane.author.images import list_images

    found = list_images(open_author(arguments))
    if context.json:
        write_json(
            {
                "targets": [
                    {
                        "name": name,
                        "length": one.length,
                        "hashes": dict(one.hashes),
                        "custom": dict(one.custom) if one.custom is not None else {},
                        "published": published,
                    }
                    for name, (one, published) in found.items()
                ]
            }
        )
        return 0
    for name, (one, published) in found.items():
        digest = one.hashes.get("sha256", "")[:16]
        write_line(f"{'' if published else 'staged: '}{name}  {one.length}  {digest}")
    return 0
