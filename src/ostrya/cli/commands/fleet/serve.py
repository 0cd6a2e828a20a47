# SPDX-License-Identifier: Apache-2.0
"""``fleet serve``: answer devices and tools until a signal says to end.

SIGTERM and Ctrl-C let requests end that are under way; a second one does not.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import require_libraries
from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "DIR"
OPTIONS = (flag("quiet", "Say nothing but warnings on stderr"),)


def run(arguments: Arguments, context: Context) -> int:
    """Serve."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one DIR must be specified")
    require_libraries()
    import logging

    from ostrya.fleet.app import run as run_server

    folder = arguments.positionals[0]
    level = logging.WARNING if arguments.flag("quiet") else logging.INFO
    logging.basicConfig(
        stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Of the libraries only what somebody can act on.
    for name in ("alembic", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)

    def ready(addresses: dict[str, str]) -> None:
        if context.json:
            write_json({"folder": folder, "addresses": addresses})
        else:
            shown = ", ".join(f"{name} at {address}" for name, address in addresses.items())
            write_line(f"Serving {folder}: {shown}")
        sys.stdout.flush()

    run_server(folder, ready)
    return 0
