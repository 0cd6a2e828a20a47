# SPDX-License-Identifier: Apache-2.0
"""``ota campaign list``: what the server wants the user to be asked about."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ostrya.cli.ota_client import CONFIG, load_client_config
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.server import Campaign

PARAMETERS = ""
OPTIONS = (CONFIG,)


def run(arguments: Arguments, context: Context) -> int:
    """Ask the server."""
    from ostrya.uptane.client.provisioning import known_link
    from ostrya.uptane.client.storage import open_storage

    if arguments.positionals:
        raise context.usage_error("nothing is to be named")
    config = load_client_config(arguments)
    with (
        open_storage(config.database_path) as storage,
        closing(known_link(config, storage)) as link,
    ):
        found = link.campaigns()
    if context.json:
        write_json({"campaigns": [one._asdict() for one in found]})
        return 0
    for one in found:
        write_line(f"{one.campaign_id}: {_words(one)}")
    return 0


def _words(one: Campaign) -> str:
    size = "" if one.size is None else f", {one.size} bytes"
    accepted = ", accepted by itself" if one.auto_accept else ""
    said = f": {one.description}" if one.description else ""
    return f"{one.name}{size}{accepted}{said}"
