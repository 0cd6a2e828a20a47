# SPDX-License-Identifier: Apache-2.0
"""What the verbs share that keep a repository of updates: its folder, its keys, and the time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.cli.options import text, texts
from ostrya.cli.output import write_json, write_line, write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.author.publish import Published
    from ostrya.uptane.author.workplace import Workplace

DIR = text("dir", "DIR", "The folder that the repository is kept in; default: here")
KEYS = texts("keys", "DIR", "A folder of secret keys, beside those in --dir; may be repeated")
KIND = text("key-type", "TYPE", "ed25519 (the default), rsa2048, rsa3072 or rsa4096")
DEFAULT_KIND = "ed25519"
NUMBERS = texts("number", "ROLE=N", "How many keys a role gets; default: as many as have to sign")
THRESHOLDS = texts("threshold", "ROLE=N", "How many keys of a role have to sign; default: 1")
PLACES = texts("keep", "ROLE=DIR", "Where secret keys of a role are put, in turn if repeated")


def open_author(arguments: Arguments) -> Workplace:
    """Open the folder that the command line names."""
    from ostrya.uptane.author.workplace import open_workplace

    keys = arguments.texts("keys") if arguments.has("keys") else []
    return open_workplace(arguments.text("dir") or ".", keys)


def time_now() -> datetime:
    """Return the time by which lifetimes begin."""
    return datetime.now(UTC)


def write_published(result: Published, context: Context) -> int:
    """Say what was published, or whose signatures are missing; return the exit status."""
    if context.json:
        missing = [{**one._asdict(), "key_ids": list(one.key_ids)} for one in result.missing]
        write_json({"published": list(result.files), "missing": missing})
    else:
        for name in result.files:
            write_line(name)
    for one in result.missing:
        more = one.threshold - one.signed_by
        write_message(
            f"{one.role}: {one.signed_by} of {one.threshold} signatures; {more} more by any of"
            f" {', '.join(key_id[:16] for key_id in one.key_ids)}"
        )
    if result.missing:
        write_message("nothing is published yet: sign again with --keys=DIR where those keys are")
    return 1 if result.missing else 0
