# SPDX-License-Identifier: Apache-2.0
"""``ota provision``: make the device one of its fleet's, and say who it is now.

What is done already is left as it is. `ota run` does the same before it asks for updates; this verb
is for whoever makes a device, and for one that its server does not let in.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.ota_client import CONFIG, OVERRIDING, load_client_config, utc_now
from ostrya.cli.output import write_json, write_line, write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.provisioning import Provisioned
    from ostrya.uptane.client.storage import Storage

PARAMETERS = ""
OPTIONS = (
    CONFIG,
    *OVERRIDING,
    flag("new-identity", "Be another device from now on: a copy of a disk has to"),
)
_SAID = {
    "identity": "made its name and key",
    "certificate": "got its certificate",
    "ecus": "registered its ECUs",
    "roots": "took the first roots of both repositories",
}


def run(arguments: Arguments, context: Context) -> int:
    """Provision it."""
    from ostrya.uptane.client.client_lock import only_client
    from ostrya.uptane.client.identity import EcuDescription
    from ostrya.uptane.client.provisioning import forget_identity, provision
    from ostrya.uptane.client.secondaries.build import build_secondaries
    from ostrya.uptane.client.secondaries.config import EcusConfig, read_ecus
    from ostrya.uptane.client.storage import open_storage
    from ostrya.uptane.client.trust_store import load_time_floor
    from ostrya.uptane.client.vehicle import RELEASED

    if arguments.positionals:
        raise context.usage_error("nothing is to be named")
    config = load_client_config(arguments)
    with ExitStack() as stack:
        stack.enter_context(only_client(config.database_path))
        storage = stack.enter_context(open_storage(config.database_path))
        if arguments.flag("new-identity"):
            forget_identity(config, storage)
        before = _steps(storage)
        path = config.uptane.secondary_config_file
        ecus = read_ecus(path) if path else EcusConfig()
        found = provision(
            config,
            storage,
            [
                EcuDescription(one.serial, one.hardware_id, one.public_key())
                for one in build_secondaries(stack, ecus, storage, utc_now, RELEASED)
            ],
            load_time_floor(storage, RELEASED).now(utc_now()),
            again=True,
        )
        stack.callback(found.link.close)
        after = _steps(storage)
        done = [step for step in _SAID if after[step] != before[step]]
        _tell(config, storage, found, done, context)
    return 0


def _steps(storage: Storage) -> dict[str, object]:
    """Return what each step has left behind."""
    from ostrya.uptane.client.identity import DEVICE_ID, SERIAL
    from ostrya.uptane.client.importing import has_root
    from ostrya.uptane.client.provisioning import REGISTERED
    from ostrya.uptane.client.tls_files import tls_facts
    from ostrya.uptane.steps import Repository

    return {
        "identity": storage.fact(SERIAL),
        "certificate": (storage.fact(DEVICE_ID), tls_facts(storage)),
        "ecus": storage.fact(REGISTERED),
        "roots": [has_root(storage, one) for one in Repository],
    }


def _tell(
    config: ClientConfig, storage: Storage, found: Provisioned, done: list[str], context: Context
) -> None:
    from ostrya.uptane.client.credentials import find_gateway
    from ostrya.uptane.client.provisioning import registered_ecus

    identity = found.identity
    server = find_gateway(config, storage)
    ecus = registered_ecus(storage)
    for warning in found.warnings:
        write_message(warning)
    if context.json:
        write_json(
            {
                "device_id": identity.device_id,
                "server": server,
                "primary": identity.serial,
                "ecus": [{"serial": serial, "hardware_id": kind} for serial, kind in ecus.items()],
                "done": done,
            }
        )
        return
    words = [_SAID[step] for step in done]
    write_line(f"{identity.device_id}: {', '.join(words) or 'nothing was left to do'}")
    write_line(f"server {server}")
    for serial, kind in ecus.items():
        role = " (Primary)" if serial == identity.serial else ""
        write_line(f"ECU {serial}{role}, a {kind}")
