# SPDX-License-Identifier: Apache-2.0
"""What a device says of itself: its hardware, its packages, its network, its settings.

::

    PUT  /system_info           hardware, as lshw -json prints it
    PUT  /core/installed        [{"name", "version"}]
    PUT  /system_info/network   {"local_ipv4", "mac", "hostname"}
    POST /system_info/config    TOML
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

from ostrya.fleet.db import log
from ostrya.fleet.errors import BadRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection

HARDWARE, PACKAGES, NETWORK, CONFIG = "hardware", "packages", "network", "config"


def check(kind: str, data: bytes) -> str:
    """Return what a device says, if it is of a kind.

    Raises:
        BadRequest: It is not.
    """
    try:
        text = data.decode()
        if "\0" in text:
            raise BadRequest(f"{kind}: there is a byte 0 in it", code="invalid_device_data")
        if kind == CONFIG:
            tomllib.loads(text)
            return text
        # Numbers of lshw are of all kinds, and nothing here is signed.
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadRequest(
            f"{kind} is not what it has to be: {exc}"[:500], code="invalid_device_data"
        ) from None
    wanted = list if kind == PACKAGES else dict
    if kind == HARDWARE and isinstance(value, list):
        # lshw since 2.19 begins with a list.
        wanted = list
    if not isinstance(value, wanted):
        raise BadRequest(
            f"{kind} is no {'list' if wanted is list else 'object'}", code="invalid_device_data"
        )
    return json.dumps(value)


def keep(connection: Connection, device_id: str, kind: str, body: str, now: int) -> None:
    """Keep what a device says of itself."""
    log.put_device_data(connection, device_id, kind, body, now)
