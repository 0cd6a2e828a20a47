# SPDX-License-Identifier: Apache-2.0
"""A device that becomes one of a fleet's: the program that tests kill.

``ota_provisioner.py CONFIGURATION NOW``
"""

from __future__ import annotations

import sys

from ostrya.uptane.client.config_files import load_config
from ostrya.uptane.client.provisioning import provision
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.metadata.fields import parse_time


def main(path: str, now: str) -> None:
    config = load_config([path]).config
    with open_storage(config.database_path) as storage:
        found = provision(config, storage, (), parse_time(now, "now"))
        found.link.put_manifest(b"{}")
        found.link.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
