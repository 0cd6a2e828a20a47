# SPDX-License-Identifier: Apache-2.0
"""Whether the machine restarted since an update was applied; and letting it.

The kernel's boot id tells. Where restarts are made up, for a sysroot in a directory or with
``fake_need_reboot``, a file tells: it is written when an update is applied, and whoever plays the
restart deletes it. It is written in any case, since other programs wait for it to appear.

Boot loaders of aktualizr's kind are told of an update by variables of U-Boot's.
"""

from __future__ import annotations

import logging
import os
import shlex
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from ostrya._linux.process import run
from ostrya.errors import CommandFailed
from ostrya.uptane.client.config import RollbackMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.client.config import BootloaderSection
    from ostrya.uptane.client.storage import Storage

log = logging.getLogger(__name__)

BOOT_ID = "/proc/sys/kernel/random/boot_id"
APPLIED_IN_BOOT = "applied-in-boot"
"""A fact of the database: when the update was applied that counts after a restart."""
_SET_VARIABLE = "fw_setenv"
_UPDATE: dict[RollbackMode, Mapping[str, str]] = {
    RollbackMode.NONE: {},
    RollbackMode.UBOOT_GENERIC: {"bootcount": "0", "rollback": "0"},
    RollbackMode.UBOOT_MASKED: {"bootcount": "0", "upgrade_available": "1", "rollback": "0"},
}
_GOOD: dict[RollbackMode, Mapping[str, str]] = {
    RollbackMode.NONE: {},
    RollbackMode.UBOOT_GENERIC: {"bootcount": "0"},
    RollbackMode.UBOOT_MASKED: {"bootcount": "0", "upgrade_available": "0"},
}


class RestartKind(Enum):
    """What a restart is."""

    MACHINE = "machine"
    EMULATED = "emulated"
    """A file is deleted."""


class Restart:
    """Restarts of a machine, as far as updates are about them."""

    def __init__(
        self,
        storage: Storage,
        settings: BootloaderSection,
        kind: RestartKind = RestartKind.MACHINE,
        boot_id_path: str = BOOT_ID,
    ) -> None:
        self._storage = storage
        self._settings = settings
        self._kind = kind
        self._boot_id_path = boot_id_path

    @property
    def _sentinel(self) -> str:
        settings = self._settings
        return os.path.join(settings.reboot_sentinel_dir, settings.reboot_sentinel_name)

    def _boot_id(self) -> bytes:
        with open(self._boot_id_path, "rb") as file:
            return file.read(64).strip()

    def expect(self) -> None:
        """Note that an update counts after the next restart, before anything says that it does."""
        os.makedirs(self._settings.reboot_sentinel_dir, mode=0o700, exist_ok=True)
        with open(self._sentinel, "wb"):
            pass
        self._storage.set_fact(APPLIED_IN_BOOT, self._boot_id())

    def happened(self) -> bool:
        """Say whether there was a restart since; yes, if nothing is known of when."""
        if self._kind is RestartKind.EMULATED:
            return not os.path.exists(self._sentinel)
        return self._storage.fact(APPLIED_IN_BOOT) != self._boot_id()

    def is_expected(self) -> bool:
        """Say whether one was ever waited for, and what came of it is not yet known."""
        return self._storage.fact(APPLIED_IN_BOOT) is not None

    def forget(self) -> None:
        """Note that no update waits for a restart any more."""
        with suppress(FileNotFoundError):
            os.unlink(self._sentinel)
        if self.is_expected():
            self._storage.forget_fact(APPLIED_IN_BOOT)

    def tell_update(self) -> None:
        """Tell the boot loader that the next start is one of an update."""
        self._set(_UPDATE)

    def tell_good(self) -> None:
        """Tell the boot loader that this start is a good one."""
        self._set(_GOOD)

    def _set(self, variables: Mapping[RollbackMode, Mapping[str, str]]) -> None:
        for name, value in variables[self._settings.rollback_mode].items():
            try:
                run([_SET_VARIABLE, name, value], timeout_s=60)
            except CommandFailed as exc:
                log.warning("the boot loader is not told variable=%s error=%s", name, exc.message)

    def run(self) -> bool:
        """Restart, by the command that is configured; say whether there is one.

        Raises:
            CommandFailed: It did not work.
        """
        command = shlex.split(self._settings.reboot_command)
        if not command:
            return False
        os.sync()
        run(command, timeout_s=600)
        return True
