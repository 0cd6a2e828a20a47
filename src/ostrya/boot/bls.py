# SPDX-License-Identifier: Apache-2.0
"""Boot entries after the Boot Loader Specification: files in ``loader/entries``. Pure.

::

    ostree-2+3-1.conf          the second of two, three tries left, one done
        title Example OS 2.0 (ostree:0)
        version 2
        options root=LABEL=root ostree=/ostree/boot.0/os/3f…/0
        devicetree /ostree/os-3f…/devicetree
        linux /ostree/os-3f…/vmlinuz-6.1.0
        initrd /ostree/os-3f…/initramfs-6.1.0.img
        initrd /ostree/initramfs-overlays/9c….img

The greatest version is the default. Names held the stateroot until 2024.4, ``ostree-2-os.conf``.

Source: UAPI.1; ``ostree-bootconfig-parser.c``; ``ostree-sysroot-deploy.c``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.errors import EntryInvalid
from ostrya.boot.kargs import KernelArguments
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_FIRST = ("title", "version", "options", "devicetree", "linux", "initrd")
_SEPARATOR = re.compile(r"[ \t]")
_KEY = re.compile(r"[A-Za-z][^ \t\n]*")
_NAME = re.compile(
    r"ostree-(?P<version>[0-9]{1,18})(?:-(?P<os>[^+]*))?(?P<tries>\+.*)?\.conf", re.DOTALL
)
_TRIES = re.compile(r"\+([0-9]{1,20})(?:-([0-9]{1,20}))?")
_BOOT_LINK = re.compile(r"/ostree/boot\.([01])/([^/]+)/([^/]+)/([0-9]{1,9})")
_DIGITS = "0123456789"
_MOST_TRIES = 2**64 - 1


class Tries(NamedTuple):
    """How often an entry may still be tried, and how often it was.

    Attributes:
        left: Tries left.
        done: Tries done; None in a name that has no second number.
    """

    left: int
    done: int | None = None

    def __str__(self) -> str:
        return f"+{self.left}" if self.done is None else f"+{self.left}-{self.done}"


class EntryName(NamedTuple):
    """The name of one of our entries.

    Attributes:
        version: What loaders order by, the greatest first.
        stateroot: As names had it until 2024.4; None without.
        tries: The counters of an entry that is on trial; None of one that is not.
    """

    version: int
    stateroot: str | None = None
    tries: Tries | None = None

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Read a file's name; None for one that is not ours."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        return cls(int(found["version"]), found["os"], _parse_tries(found["tries"] or ""))

    def __str__(self) -> str:
        stateroot = "" if self.stateroot is None else f"-{self.stateroot}"
        return f"ostree-{self.version}{stateroot}{self.tries or ''}.conf"


class BootLink(NamedTuple):
    """Where ``ostree=`` leads: a link to a deployment.

    Attributes:
        bootversion: Which of the two sets of links, 0 or 1.
        stateroot: The deployment's.
        bootcsum: The checksum of its kernel.
        serial: Tells deployments with the same kernel apart.
    """

    bootversion: int
    stateroot: str
    bootcsum: str
    serial: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the value of ``ostree=``.

        Raises:
            EntryInvalid: It is none.
        """
        found = _BOOT_LINK.fullmatch(text)
        if found is None:
            raise EntryInvalid(
                f"Invalid ostree= argument '{text}', expected "
                "ostree=/ostree/boot.BOOTVERSION/OSNAME/BOOTCSUM/TREESERIAL"
            )
        return cls(int(found[1]), found[2], found[3], int(found[4]))

    @staticmethod
    def is_one(text: str) -> bool:
        """Say whether it is the path of such a link."""
        return _BOOT_LINK.fullmatch(text) is not None

    def __str__(self) -> str:
        return f"/ostree/boot.{self.bootversion}/{self.stateroot}/{self.bootcsum}/{self.serial}"


class Entry(NamedTuple):
    """What an entry says.

    Attributes:
        fields: Keys and values, one of each key.
        overlay_initrds: Paths of further ramdisks, loaded on top of the first.
    """

    fields: Mapping[str, str]
    overlay_initrds: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of an entry; lines that are none are passed over."""
        fields: dict[str, str] = {}
        overlays = []
        for line in text.split("\n"):
            key, *rest = _SEPARATOR.split(line, maxsplit=1)
            if not rest or not (key[:1].isascii() and key[:1].isalpha()):
                continue
            if key == "initrd" and key in fields:
                overlays.append(rest[0])
            else:
                fields[key] = rest[0]
        return cls(fields, tuple(overlays))

    def to_text(self) -> str:
        """Give the text of the entry.

        Raises:
            EntryInvalid: A key is none, a value has more than one line, or there is something to
                load on top of nothing.
        """
        if self.overlay_initrds and "initrd" not in self.fields:
            raise EntryInvalid("A boot entry has overlay initrds, and no initrd below them")
        pairs = [(key, self.fields[key]) for key in _FIRST if key in self.fields]
        pairs += [("initrd", path) for path in self.overlay_initrds]
        pairs += sorted((key, self.fields[key]) for key in self.fields if key not in _FIRST)
        for key, value in pairs:
            if not _KEY.fullmatch(key) or "\n" in value:
                raise EntryInvalid(f"A boot entry cannot hold '{key} {value}'")
        return "".join(f"{key} {value}\n" for key, value in pairs)

    @property
    def kargs(self) -> KernelArguments:
        """The kernel's command line."""
        return KernelArguments.parse(self.fields.get("options", ""))

    @property
    def boot_link(self) -> BootLink | None:
        """Where ``ostree=`` leads; None without.

        Raises:
            EntryInvalid: It cannot be read.
        """
        value = self.kargs.last_value("ostree")
        return None if value is None else BootLink.parse(value)

    @property
    def extra_fields(self) -> dict[str, str]:
        """What is said beyond the keys that every entry has."""
        return {key: value for key, value in self.fields.items() if key not in _FIRST}


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what versions of entries are ordered by: digits count as numbers."""
    # Longer than any number that somebody counts with: the rest is as good as text.
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", version)
    return tuple((0, int(part), "") if part[0] in _DIGITS else (1, 0, part) for part in parts)


def _parse_tries(text: str) -> Tries | None:
    """Read counters as libostree does: what is no number ends them, or makes them none."""
    found = _TRIES.match(text)
    if found is None:
        return None
    left, done = int(found[1]), None if found[2] is None else int(found[2])
    if max(left, done or 0) > _MOST_TRIES:
        return None
    return Tries(left, done)
