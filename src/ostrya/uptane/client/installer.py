# SPDX-License-Identifier: Apache-2.0
"""Whoever puts an image where the Primary runs it; the protocol of all that do.

::

    refuse ──▶ download ──▶ install ──▶ DONE
                               │
                               └──▶ APPLIED … a restart … finish ──▶ WAITING, TRIAL, DONE, LOST

Every step may be killed anywhere and begun again: it looks at what is there, and does the rest.
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.installs import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from ostrya.uptane.client.installs import Install, Target
    from ostrya.uptane.client.server import ImageBody, Treehub
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.full_verification import Agreed

UNKNOWN = "unknown"
"""What an image is called of which nothing is known but what it hashes to."""
MOST_WORDS = 1000


class Stage(Enum):
    """How far an installation has come."""

    APPLIED = "applied"
    """It is there, and counts after a restart."""
    WAITING = "waiting"
    """The restart is still to come."""
    TRIAL = "trial"
    """It runs, and has still to be found good."""
    LOST = "lost"
    """It is not there: it was cut short, and can be done again."""
    LATER = "later"
    """It cannot be begun now, through no fault of its own."""
    DONE = "done"


class Outcome(NamedTuple):
    """What became of an installation.

    Attributes:
        stage: How far it has come.
        result: How it ended, where it has.
        words: What it waits for, where it does.
    """

    stage: Stage
    result: Result | None = None
    words: str = ""

    @classmethod
    def good(cls, description: str = "", code: str = "OK") -> Outcome:
        """Return that it runs."""
        return cls(Stage.DONE, Result(success=True, code=code, description=description))

    @classmethod
    def failed(cls, description: str, code: str = "INSTALL_FAILED") -> Outcome:
        """Return that it came to nothing."""
        words = plain_words(description)
        return cls(Stage.DONE, Result(success=False, code=code, description=words))


class Running(NamedTuple):
    """The image that an ECU runs.

    Attributes:
        name: ``unknown`` where it came from elsewhere.
        length: How many bytes; 0 for an OSTree commit.
        hashes: Its digests.
        release_counter: None if it has none, or nobody knows.
    """

    name: str
    length: int
    hashes: Mapping[str, str]
    release_counter: int | None = None


class ImageSource(Protocol):
    """Where images come from: a server, or a medium that somebody brought."""

    def open_image(
        self, name: str, uri: str, offset: int, max_bytes: int
    ) -> AbstractContextManager[ImageBody]:
        """Begin to read an image, from a byte on."""

    def treehub(self, uri: str = "") -> Treehub:
        """Return where commits are pulled from."""


class Installer(Protocol):
    """Puts images where the Primary runs them."""

    def running(self, log: Sequence[Install]) -> Running | None:
        """Return what runs now, by the name that it was installed under; None for nothing."""

    def refuse(self, image: Agreed) -> None:
        """See that an image is one for this installer.

        Raises:
            ImageUnsuitable: It is of another kind.
        """

    def has(self, image: Agreed) -> bool:
        """Say whether all of an image is here."""

    def download(self, image: Agreed, source: ImageSource, watch: Watch) -> None:
        """Get an image, all of it, as far as it is not here.

        Raises:
            NoRoom: It does not fit.
            ImageUnsuitable: It can be seen already that it can never run here.
            ImageRejected: What came is something else.
            ServerError: It could not be had.
            UpdateCancelled: Somebody wants that to end.
            OSError: It could not be written.
        """

    def install(self, target: Target, watch: Watch) -> Outcome:
        """Install what was downloaded."""

    def finish(self, target: Target, *, restarted: bool) -> Outcome:
        """Say what became of an installation that was begun, by looking at what is there.

        Args:
            target: What was installed.
            restarted: Whether the machine restarted since.
        """

    def keep_only(self, targets: Sequence[Target]) -> None:
        """Delete what was downloaded, but for these; what runs stays."""


def plain_words(text: str) -> str:
    """Return text as it can be kept, signed and shown: names of files may be no text at all."""
    text = text.encode(errors="replace").decode()[:MOST_WORDS]
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return unicodedata.normalize("NFC", shown)


def known_as(log: Sequence[Install], hashes: Mapping[str, str]) -> Running | None:
    """Return what an image was called when it was installed from here; None if it was not."""
    for one in reversed(log):
        common = one.target.hashes.keys() & hashes.keys()
        if common and all(one.target.hashes[name] == hashes[name] for name in common):
            target = one.target
            return Running(target.name, target.length, target.hashes, target.release_counter)
    return None
