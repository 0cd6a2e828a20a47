# SPDX-License-Identifier: Apache-2.0
"""What the verbs share that are a device's client: its configuration, its sysroot, the time."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.cli.options import text, texts
from ostrya.cli.output import write_message
from ostrya.cli.repo_lookup import make_runtime, root_of_system
from ostrya.cli.sysroot_lookup import sysroot_options
from ostrya.sysroot.running import find_running, is_booted, make_writable
from ostrya.sysroot.sysroot import Sysroot

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.cli.context import Context
    from ostrya.cli.environment import Environment
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.campaigns import CampaignAnswer
    from ostrya.uptane.client.config import ClientConfig

log = logging.getLogger(__name__)

_PHYSICAL_ROOT = "/sysroot"
CONFIG = texts("config", "PATH", "A file or folder of settings; may be repeated", short="c")
OVERRIDES = {
    "tls-server": ("tls", "server"),
    "repo-server": ("uptane", "repo_server"),
    "director-server": ("uptane", "director_server"),
    "primary-ecu-serial": ("provision", "primary_ecu_serial"),
    "primary-ecu-hardware-id": ("provision", "primary_ecu_hardware_id"),
    "secondary-config-file": ("uptane", "secondary_config_file"),
}
"""Options of aktualizr's that stand for a key of a section."""
OVERRIDING = tuple(
    text(name, "VALUE", f"{key} of [{section}]") for name, (section, key) in OVERRIDES.items()
)


def load_client_config(arguments: Arguments) -> ClientConfig:
    """Read the configuration that the command line names, or the system's.

    Raises:
        ConfigError: It cannot be used.
    """
    from ostrya.uptane.client.config_files import load_config

    overrides = {}
    for name, place in OVERRIDES.items():
        value = arguments.text(name) if arguments.has(name) else None
        if value is not None:
            overrides[place] = value
    loaded = load_config(arguments.texts("config"), overrides)
    for warning in loaded.warnings:
        write_message(warning)
    return loaded.config


def sysroot_opener(
    path: str, environment: Environment, *, to_write: bool = True
) -> Callable[[], Sysroot]:
    """Return what opens a sysroot.

    Args:
        path: Where; empty for the running system's.
        environment: What it wants otherwise.
        to_write: Let this process write to the running one.
    """
    path = os.path.abspath(path or "/")
    if path == _PHYSICAL_ROOT and is_booted():
        # As some configurations have it: the same disk, from where nothing seems to run.
        path = "/"
    if to_write and find_running(path).root is not None and os.geteuid() == 0:
        make_writable()
    runtime = make_runtime(environment)._replace(system_root=root_of_system(path))

    def open_sysroot() -> Sysroot:
        return Sysroot(
            path,
            find_running(path),
            options=sysroot_options(environment),
            runtime=runtime,
            tell=lambda line: log.info("%s", line),
        )

    return open_sysroot


def utc_now() -> datetime:
    """Return what the clock says."""
    return datetime.now(UTC)


def write_log(context: Context) -> None:
    """Let what the client notes be seen on stderr, as a service's log has it."""
    del context
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("ostrya.uptane")
    if not root.handlers:
        root.addHandler(handler)
        root.setLevel(logging.INFO)


def keep_log() -> None:
    """Let what the client notes be seen only with -v: Python writes warnings of nobody's log."""
    root = logging.getLogger("ostrya")
    if not root.handlers:
        root.addHandler(logging.NullHandler())


def give_answer(arguments: Arguments, context: Context, answer: CampaignAnswer) -> None:
    """Queue what a user says of the campaign that the command line names.

    Raises:
        ConfigError: That is no id.
        StorageError: It cannot be kept.
    """
    from ostrya.uptane.client.campaigns import answer_campaign
    from ostrya.uptane.client.storage import open_storage
    from ostrya.uptane.client.trust_store import load_time_floor
    from ostrya.uptane.client.vehicle import RELEASED

    if len(arguments.positionals) != 1:
        raise context.usage_error("one ID must be specified")
    config = load_client_config(arguments)
    with open_storage(config.database_path) as storage:
        now = load_time_floor(storage, RELEASED).now(utc_now())
        answer_campaign(storage, arguments.positionals[0], answer, now)
