# SPDX-License-Identifier: Apache-2.0
"""``ota keys list``: whose signatures count, which keys are here, and what expires when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_author import DIR, KEYS, open_author
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.author.workplace import Workplace

PARAMETERS = ""
OPTIONS = (DIR, KEYS)


def run(arguments: Arguments, context: Context) -> int:
    """List them by role."""
    from ostrya.uptane.author.roles import expiries
    from ostrya.uptane.metadata.fields import format_time

    work = open_author(arguments)
    expires = {role: format_time(moment) for role, moment in expiries(work).items()}
    root = work.newest_root()
    roles = [
        {
            "role": role,
            "threshold": keys.threshold,
            "keys": [
                {"keyid": one, "type": root.keys[one].kind, "here": _is_here(work, one)}
                for one in keys.key_ids
            ],
        }
        for role, keys in root.roles.items()
    ]
    version, published = root.header.version, work.root_version()
    if context.json:
        write_json(
            {
                "version": version,
                "published": published == version,
                "roles": roles,
                "expires": expires,
            }
        )
        return 0
    for role, keys in root.roles.items():
        write_line(f"{role}: {keys.threshold} of {len(keys.key_ids)} sign")
        for one in keys.key_ids:
            here = "here" if _is_here(work, one) else "elsewhere"
            write_line(f"  {one}  {root.keys[one].kind}  {here}")
    for role, moment in expires.items():
        write_line(f"{role} expires {moment}")
    if published != version:
        write_line(f"root {version} is staged, and not published yet")
    return 0


def _is_here(work: Workplace, key_id: str) -> bool:
    return work.keyring.find(work.newest_root().keys[key_id]) is not None
