# SPDX-License-Identifier: Apache-2.0
"""Host name, time zone, locale and keymap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.image.customize.refusals import Refusals
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import DeviceTree
    from ostrya.image.recipe.values import System

_ZONES = "/usr/share/zoneinfo"
_LOCALES = "/usr/lib/locale"
_LOOPBACK = "127.0.1.1"
_MAX_ARCHIVE_BYTES = 512 << 20


def set_up_system(
    places: DeviceTree,
    system: System,
    tell: Callable[[str], None],
    refusals: Refusals | None = None,
) -> None:
    """Do what is said of the system as a whole.

    Args:
        places: The tree.
        system: What is said.
        tell: Told what is done.
        refusals: Told what cannot be; if None, it is raised.

    Raises:
        SourceError: The tree has no such zone or locale.
    """
    own = refusals or Refusals()
    for path in system.remove:
        with own.gather():
            if not places.remove(path):
                raise SourceError(f"system.remove: there is no {path} in the tree")
            tell(f"removed {path}")
    if system.hostname:
        _set_hostname(places, system.hostname)
        tell(f"host name {system.hostname}")
    if system.timezone:
        with own.gather():
            _set_zone(places, system.timezone)
            tell(f"time zone {system.timezone}")
    if system.locale:
        with own.gather():
            _set_locale(places, system.locale)
            tell(f"locale {system.locale}")
    if system.keymap:
        _set_keymap(places, system.keymap)
        tell(f"keymap {system.keymap}")
    if refusals is None:
        own.raise_any()


def _set_hostname(places: DeviceTree, name: str) -> None:
    places.write("/etc/hostname", f"{name}\n")
    text = places.read_text("/etc/hosts") or "127.0.0.1\tlocalhost\n::1\tlocalhost\n"
    kept = [line for line in text.splitlines() if line.split()[:1] != [_LOOPBACK]]
    short = name.partition(".")[0]
    names = name if short == name else f"{name} {short}"
    kept.insert(min(1, len(kept)), f"{_LOOPBACK}\t{names}")
    places.write("/etc/hosts", "".join(f"{line}\n" for line in kept))


def _set_zone(places: DeviceTree, zone: str) -> None:
    if not places.is_file(f"{_ZONES}/{zone}"):
        raise SourceError(
            f"system.timezone: the tree has no {_ZONES}/{zone}",
            hint="in Debian, zones are in tzdata and tzdata-legacy",
        )
    places.link("/etc/localtime", f"..{_ZONES}/{zone}")
    if places.exists("/etc/timezone"):
        places.write("/etc/timezone", f"{zone}\n")


def _set_locale(places: DeviceTree, locale: str) -> None:
    if not _has_locale(places, locale):
        raise SourceError(
            f"system.locale: the tree has no locale {locale}",
            hint="in Debian, `locale-gen` makes it, or locales-all has it",
        )
    places.write("/etc/locale.conf", f"LANG={locale}\n")
    # A link in Debian from version 13 on.
    if places.is_dir("/etc/default") and places.real("/etc/default/locale") != places.real(
        "/etc/locale.conf"
    ):
        places.write("/etc/default/locale", f"LANG={locale}\n")


def _has_locale(places: DeviceTree, locale: str) -> bool:
    name, dot, charset = locale.partition(".")
    if name in {"C", "POSIX"} and not dot:
        return True
    # As the C library writes it: de_DE.utf8.
    normal = f"{name}.{charset.replace('-', '').lower()}" if dot else name
    if places.is_dir(f"{_LOCALES}/{normal}"):
        return True
    archive = f"{_LOCALES}/locale-archive"
    if not places.is_file(archive):
        return False
    data = places.read(archive, max_bytes=_MAX_ARCHIVE_BYTES)
    return f"{normal}\0".encode() in data


def _set_keymap(places: DeviceTree, keymap: str) -> None:
    places.write("/etc/vconsole.conf", f"KEYMAP={keymap}\n")
    keyboard = places.read_text("/etc/default/keyboard")
    if keyboard:
        layout = keymap.partition("-")[0]
        text, count = re.subn(r"(?m)^XKBLAYOUT=.*$", f'XKBLAYOUT="{layout}"', keyboard)
        places.write("/etc/default/keyboard", text if count else f'{text}XKBLAYOUT="{layout}"\n')
