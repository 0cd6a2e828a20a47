# SPDX-License-Identifier: Apache-2.0
"""A sysroot as a boot loader sees it: two deployments, and their boot entries."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ostrya._linux.dirfd import open_dir
from ostrya.boot.bls import Entry
from ostrya.boot.bootloader import Boot, LoaderContext

CSUM = "3f" * 32


class BootDisk:
    """A directory that a boot loader is told of; entries are those of one bootversion."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.boots: tuple[Boot, ...] = ()
        (top / "boot").mkdir(parents=True)
        self.fd = open_dir(str(top))

    def close(self) -> None:
        os.close(self.fd)

    def context(self, **changes: object) -> LoaderContext:
        """What a loader is told."""
        return LoaderContext(self.fd, str(self.top))._replace(**changes)

    def write(self, bootversion: int, *, is_flat: bool = False, **fields: str) -> tuple[Boot, ...]:
        """Make two deployments, links to them and their entries."""
        links = self.top / f"ostree/boot.{bootversion}/os/{CSUM}"
        links.mkdir(parents=True, exist_ok=True)
        folder = Path(self.context(is_flat=is_flat).entries_dir(bootversion))
        (self.top / folder).mkdir(parents=True, exist_ok=True)
        boots = []
        for at in (0, 1):
            root = f"ostree/deploy/os/deploy/{at}c.0"
            (self.top / root / "usr").mkdir(parents=True, exist_ok=True)
            if not (links / str(at)).is_symlink():
                (links / str(at)).symlink_to(self.top / root)
            entry = self.entry(bootversion, at, fields)
            (self.top / folder / f"ostree-{2 - at}.conf").write_text(entry.to_text())
            boots.append(Boot(entry, root))
        self.boots = tuple(boots)
        return self.boots

    def entry(self, bootversion: int, at: int, fields: Mapping[str, str]) -> Entry:
        """The entry of one of them."""
        return Entry(
            {
                "title": f"X OS (ostree:{at})",
                "version": str(2 - at),
                "linux": f"/ostree/os-{CSUM}/vmlinuz-6.1",
                "initrd": f"/ostree/os-{CSUM}/initramfs-6.1.img",
                "options": f"root=x ostree=/ostree/boot.{bootversion}/os/{CSUM}/{at}",
                **fields,
            }
        )

    def make(self, path: str, text: str = "") -> Path:
        """Make a file."""
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file
