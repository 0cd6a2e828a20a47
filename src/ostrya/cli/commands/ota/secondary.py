# SPDX-License-Identifier: Apache-2.0
"""``ota secondary``: be another ECU, which a Primary updates over the network of the vehicle.

It speaks as aktualizr-secondary does, and reads its configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.cli.ota_client import sysroot_opener, utc_now, write_log
from ostrya.cli.output import write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
DEFAULT_CONFIG = "/etc/sota/secondary.toml"
OPTIONS = (text("config", "FILE", f"Its settings; default: {DEFAULT_CONFIG}", short="c"),)


def run(arguments: Arguments, context: Context) -> int:
    """Listen; nothing but a signal ends it."""
    from ostrya.uptane.client.client_lock import only_client
    from ostrya.uptane.client.secondaries.daemon_config import read_ecu_config
    from ostrya.uptane.client.secondaries.own_process import make_ecu, serve_ecu
    from ostrya.uptane.client.storage import open_storage
    from ostrya.uptane.client.vehicle import RELEASED

    config = read_ecu_config(arguments.text("config") or DEFAULT_CONFIG)
    for warning in config.warnings:
        write_message(warning)
    write_log(context)
    with only_client(config.database_path):
        opener = sysroot_opener(config.sysroot, context.environment)
        with open_storage(config.database_path) as storage:
            ecu, restart = make_ecu(config, storage, opener, utc_now, RELEASED)
            serve_ecu(config, ecu, restart)
    return 0
