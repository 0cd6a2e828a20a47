# SPDX-License-Identifier: Apache-2.0
"""``ota delegation add``: trust somebody else with some images.

Targets are staged that say so, and empty ones of NAME, for its owner to sign. With --metadata, what
the owner of NAME made and signed is taken in, for a delegation that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, number, text, texts
from ostrya.cli.ota_author import DIR, KEYS, open_author, time_now
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (
    DIR,
    KEYS,
    texts("key", "FILE", "A public key of NAME; may be repeated"),
    number("threshold", "N", "How many of its keys have to sign; default: 1"),
    texts("path", "PATTERN", "Images that it is trusted with; may be repeated"),
    texts("hardware-id", "ID", "A kind of ECU that it is for; default: all"),
    flag("terminating", "Nobody else is asked for these images"),
    text("metadata", "FILE", "Take in Targets that the owner of NAME signed"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Stage it."""
    from ostrya.uptane.author import delegate
    from ostrya.uptane.author.keyring import read_bounded
    from ostrya.uptane.author.workplace import MAX_METADATA_BYTES

    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    (name,) = arguments.positionals
    work = open_author(arguments)
    metadata = arguments.text("metadata")
    if metadata is not None:
        targets = delegate.take_in(work, name, read_bounded(metadata, MAX_METADATA_BYTES))
        write_line(f"{name} {targets.header.version}: {len(targets.images)} images")
        return 0
    trust = delegate.Trust(
        tuple(arguments.texts("path")),
        arguments.number("threshold") or 1,
        arguments.flag("terminating"),
        tuple(arguments.texts("hardware-id")),
    )
    for key_id in delegate.add(work, name, arguments.texts("key"), trust, time_now()):
        write_line(key_id)
    return 0
