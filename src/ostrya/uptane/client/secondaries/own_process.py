# SPDX-License-Identifier: Apache-2.0
"""An ECU as a process of its own: put together by its configuration, and served."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from ostrya.errors import CommandFailed
from ostrya.uptane.client import trust_store
from ostrya.uptane.client.adoption import adopt_former_ecu
from ostrya.uptane.client.config import Booted, PackageManager
from ostrya.uptane.client.identity import SERIAL, fact_text
from ostrya.uptane.client.key_file import load_key
from ostrya.uptane.client.ostree_installer import OstreeInstaller
from ostrya.uptane.client.restart import Restart, RestartKind
from ostrya.uptane.client.secondaries.daemon import EcuListener, EcuService
from ostrya.uptane.client.secondaries.ecu import Ecu
from ostrya.uptane.client.secondaries.ecu_identity import EcuIdentity
from ostrya.uptane.client.secondaries.firmware import FileFirmware, OstreeFirmware
from ostrya.uptane.metadata.keys import uptane_key_id
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.uptane.client.secondaries.daemon_config import EcuConfig
    from ostrya.uptane.client.secondaries.firmware import Firmware
    from ostrya.uptane.client.storage import Storage

log = logging.getLogger(__name__)

_KEY = "ecu.key"
_ROOTS = {Repository.DIRECTOR: "director/root.json", Repository.IMAGE: "repo/root.json"}
_MAX_ROOT_BYTES = 512 * 1024


def make_ecu(
    config: EcuConfig,
    storage: Storage,
    open_sysroot: Callable[[], Sysroot],
    clock: Callable[[], datetime],
    built_at: datetime,
) -> tuple[Ecu, Restart]:
    """Put an ECU together.

    Raises:
        UptaneError: Its key, or a root that it was given, is none.
        OSError: A file cannot be read or written.
    """
    key_path = os.path.join(config.folder, _KEY)
    adopt_former_ecu(config.bootloader, storage, key_path)
    secret = load_key(key_path, config.key_kind)
    key_id = uptane_key_id(secret.key)
    serial = config.serial or fact_text(storage, SERIAL) or key_id
    identity = EcuIdentity(serial, config.hardware_id, key_id, secret, config.verification)
    _import_roots(config, storage)
    is_played = config.booted is Booted.STAGED
    kind = RestartKind.EMULATED if is_played else RestartKind.MACHINE
    restart = Restart(storage, config.bootloader, kind)
    firmware: Firmware
    if config.manager is PackageManager.NONE:
        path = os.path.join(config.images_path, "firmware")
        firmware = FileFirmware(path, f"{path}.name")
    else:
        installer = OstreeInstaller(open_sysroot, config.stateroot, config.booted)
        firmware = OstreeFirmware(installer, restart)
    return Ecu(storage, identity, firmware, clock, built_at), restart


def serve_ecu(config: EcuConfig, ecu: Ecu, restart: Restart) -> None:
    """Answer a Primary until a signal ends it, or the ECU restarts.

    Raises:
        OSError: Somebody listens there already, or a certificate cannot be read.
    """
    service = EcuService(ecu, config.folder)
    with EcuListener(service, config.port, config.tls, config.address) as listener:
        log.info("listening port=%d serial=%s", listener.port, ecu.identity.serial)
        # What was begun before a restart ends now, whether or not somebody asks.
        ecu.finish()
        if config.primary is not None:
            listener.announce(*config.primary)
        while True:
            listener.serve_one()
            if service.needs_restart and config.restarts:
                _restart(restart)
                service.needs_restart = False


def _restart(restart: Restart) -> None:
    try:
        restart.run()
    except CommandFailed as exc:
        log.warning("the ECU could not be restarted error=%s", exc.message)


def _import_roots(config: EcuConfig, storage: Storage) -> None:
    """Trust the first roots that it was given when it was made."""
    for repository, name in _ROOTS.items():
        path = os.path.join(config.import_path, name)
        if trust_store.load_files(storage, repository) or not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            trust_store.set_first_root(storage, repository, file.read(_MAX_ROOT_BYTES))
