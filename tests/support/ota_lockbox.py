# SPDX-License-Identifier: Apache-2.0
"""A lockbox on a medium that is mounted, made by the real author."""

from __future__ import annotations

from pathlib import Path

from ostrya.uptane.author.images import About, add_file
from ostrya.uptane.author.lockbox import Sources, create_lockbox
from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.roles import NewKeys, create
from ostrya.uptane.author.workplace import DAYS, Settings
from ostrya.uptane.client import trust_store
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import Repository
from support.uptane_world import NOW

CONTENT = b"firmware of a stick"


class Stick:
    """A Director and an Image repository at somebody's desk, and a medium.

    Attributes:
        mount: Where it appears at the device.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mount = folder / "mnt"
        self.sources = Sources(*(self._make(name) for name in ("images", "director")))
        self.add("fw", CONTENT)

    def _make(self, name: str):
        settings = Settings(Dialect.UPTANE, DAYS, is_director=name == "director")
        work = create(str(self.folder / name), settings, NewKeys("ed25519", {}), NOW)
        publish(work, NOW)
        return work

    def add(self, name: str, content: bytes) -> None:
        """Publish another image."""
        path = self.folder / f"{name}.bin"
        path.write_bytes(content)
        add_file(self.sources.images, name, str(path), About(("board",), release_counter=4), NOW)
        publish(self.sources.images, NOW)

    def write(self, images: tuple[str, ...] = ("fw",), name: str = "box") -> None:
        """Make the lockbox."""
        create_lockbox(self.sources, name, images, str(self.mount), NOW)

    def give_roots(self, database: str) -> None:
        """Let a device trust both."""
        self.write()
        with open_storage(database) as storage:
            for which, folder in zip(Repository, ("director", "image-repo"), strict=True):
                data = (self.mount / f"metadata/{folder}/1.root.json").read_bytes()
                trust_store.set_first_root(storage, which, data)
