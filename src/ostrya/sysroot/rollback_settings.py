# SPDX-License-Identifier: Apache-2.0
"""The group ``[ostrya]`` of the system repository's ``config``: automatic rollback. Pure.

::

    [ostrya]
    rollback=uboot                  or grub2, systemd-boot, uboot-classic; none without
    rollback-tries=3                how often a new deployment is started before it is given up
    rollback-state=LABEL=boot       where the record of a trial lies, which is on VFAT:
                                    LABEL=, UUID=, PARTUUID=, PARTLABEL=, a device, a directory;
                                    for uboot-classic the path of fw_env.config
    rollback-fail-fast=true         a failed health check ends a trial at once
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.boot.trial import DEFAULT_TRIES, MOST_TRIES
from ostrya.errors import SysrootError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.keyfile import KeyFile

GROUP = "ostrya"
_DEFAULT_STATE = "LABEL=boot"
_FW_ENV_CONFIG = "/etc/fw_env.config"
_NUMBER = re.compile(r"[0-9]{1,3}")


class Protocol(StrEnum):
    """Whose part the boot loader's is."""

    NONE = "none"
    UBOOT = "uboot"
    GRUB = "grub2"
    SYSTEMD_BOOT = "systemd-boot"
    UBOOT_CLASSIC = "uboot-classic"


class RollbackSettings(NamedTuple):
    """What is said of automatic rollback.

    Attributes:
        protocol: The boot loader's; none for no automatic rollback.
        tries: How often a new deployment is started before it is given up.
        state: Where the record lies.
        fail_fast: Whether a failed health check ends a trial at once.
    """

    protocol: Protocol = Protocol.NONE
    tries: int = DEFAULT_TRIES
    state: str = _DEFAULT_STATE
    fail_fast: bool = False

    @property
    def is_on(self) -> bool:
        """Whether there is automatic rollback at all."""
        return self.protocol is not Protocol.NONE


def parse_rollback(keyfile: KeyFile) -> RollbackSettings:
    """Read the settings.

    Raises:
        SysrootError: A setting has a value that it cannot have.
        FormatError: A value cannot be read at all.
    """

    def value(key: str, default: str) -> str:
        if keyfile.has_group(GROUP) and keyfile.has_key(GROUP, key):
            return keyfile.get_value(GROUP, key)
        return default

    name = value("rollback", Protocol.NONE)
    if name not in tuple(Protocol):
        raise SysrootError(
            f"Invalid ostrya.rollback: '{name}'", hint=f"it is one of {', '.join(Protocol)}"
        )
    protocol = Protocol(name)
    tries = value("rollback-tries", str(DEFAULT_TRIES))
    if not _NUMBER.fullmatch(tries) or not 1 <= int(tries) <= MOST_TRIES:
        raise SysrootError(
            f"Invalid ostrya.rollback-tries: '{tries}' is not from 1 to {MOST_TRIES}"
        )
    default = _FW_ENV_CONFIG if protocol is Protocol.UBOOT_CLASSIC else _DEFAULT_STATE
    state = value("rollback-state", default)
    if not state:
        raise SysrootError("Invalid ostrya.rollback-state: it is empty")
    is_fast = value("rollback-fail-fast", "false")
    if is_fast not in ("true", "false"):
        raise SysrootError(
            f"Invalid ostrya.rollback-fail-fast: '{is_fast}' is neither true nor false"
        )
    return RollbackSettings(protocol, int(tries), state, is_fast == "true")
