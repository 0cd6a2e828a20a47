# SPDX-License-Identifier: Apache-2.0
"""The group ``[sysroot]`` of the system repository's ``config``. Pure.

::

    [sysroot]
    readonly=true
    bootloader=auto
    bootprefix=true
    boot-counting-tries=3
    bls-append-except-default=grub_users=admin;
    early-prune=true                                ours

The group ``[ostrya]`` beside it has automatic rollback: see `rollback_settings`.

Source: ostree-repo.c (reload_sysroot_config).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.bootloader import AUTO, SETTINGS
from ostrya.errors import SysrootError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.rollback_settings import RollbackSettings, parse_rollback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.formats.keyfile import KeyFile

_GROUP = "sysroot"
_MOST_TRIES = 5
_NUMBER = re.compile(r"[0-9]{1,3}")


class SysrootSettings(NamedTuple):
    """What the system repository says of its sysroot.

    Attributes:
        bootloader: Which boot loader there is, or ``auto`` or ``none``.
        bootprefix: Whether paths in boot entries begin with ``/boot``.
        boot_tries: How often a new deployment is tried before it counts as bad; 0 for always.
        append_except_default: What entries of all but the default say besides.
        readonly: Whether ``/sysroot`` is mounted read-only.
        early_prune: Whether the rollback may go first where ``/boot`` is too small for both.
        rollback: Whether, and how, a release that does not come up is given up.
    """

    bootloader: str = AUTO
    bootprefix: bool = False
    boot_tries: int = 0
    append_except_default: Mapping[str, str] = {}  # a tuple's default, never written to
    readonly: bool = False
    early_prune: bool = False
    rollback: RollbackSettings = RollbackSettings()


def parse_settings(keyfile: KeyFile) -> SysrootSettings:
    """Read the settings.

    Raises:
        SysrootError: A setting has a value that it cannot have.
        FormatError: A value cannot be read at all.
    """

    def has(key: str) -> bool:
        return keyfile.has_group(_GROUP) and keyfile.has_key(_GROUP, key)

    bootloader = keyfile.get_value(_GROUP, "bootloader") if has("bootloader") else AUTO
    if bootloader not in SETTINGS:
        raise SysrootError(
            f"Invalid bootloader configuration: '{bootloader}'",
            hint=f"sysroot.bootloader is one of {', '.join(SETTINGS)}",
        )
    tries = keyfile.get_value(_GROUP, "boot-counting-tries") if has("boot-counting-tries") else "0"
    if not _NUMBER.fullmatch(tries) or int(tries) > _MOST_TRIES:
        raise SysrootError(
            f"Parsing sysroot.boot-counting-tries: Number “{tries}” is out of bounds [0, 5]"
        )
    appended = {}
    if has("bls-append-except-default"):
        for text in keyfile.get_string_list(_GROUP, "bls-append-except-default"):
            key, equals, value = text.partition("=")
            if not equals:
                raise SysrootError(
                    'bls-append-except-default key must be of the form "key1=value1;key2=value2..."'
                )
            appended[key] = value
    return SysrootSettings(
        bootloader,
        has("bootprefix") and keyfile.get_boolean(_GROUP, "bootprefix"),
        int(tries),
        appended,
        has("readonly") and keyfile.get_boolean(_GROUP, "readonly"),
        has("early-prune") and keyfile.get_boolean(_GROUP, "early-prune"),
        parse_rollback(keyfile),
    )
