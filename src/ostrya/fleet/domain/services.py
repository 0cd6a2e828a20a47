# SPDX-License-Identifier: Apache-2.0
"""All parts of a server that is open, each of which knows those that it needs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from ostrya.fleet.domain.director import Director
from ostrya.fleet.domain.fleet import TREEHUB, clock, open_fleet
from ostrya.fleet.domain.image_repository import ImageRepository
from ostrya.fleet.domain.image_state import ImageState
from ostrya.fleet.domain.readings import Readings
from ostrya.fleet.domain.registry import Registry
from ostrya.fleet.domain.treehub import Treehub
from ostrya.repo.repository import open_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.fleet.connections import DoorFacts
    from ostrya.fleet.domain.fleet import Fleet
    from ostrya.fleet.settings import Settings


class Services:
    """The parts.

    Attributes:
        fleet: Settings, database and authority.
        director: What each vehicle shall run.
        images: What there is.
        image_state: The Image repository at one moment.
        readings: What devices have begun to read.
        treehub: Commits.
        registry: What is remembered of devices.
        doors: Each says what came by it, while the server runs.
    """

    def __init__(self, fleet: Fleet) -> None:
        settings = fleet.settings
        self.fleet = fleet
        self.director = Director(fleet.director, settings.metadata)
        self.images = ImageRepository(
            fleet.image,
            max_bytes=settings.limits.metadata_bytes,
            refresh_before=timedelta(hours=settings.metadata.refresh_hours),
        )
        self.treehub = Treehub(open_repository(settings.path(TREEHUB)))
        self.image_state = ImageState(self.images)
        self.readings = Readings()
        self.doors: dict[str, Callable[[], DoorFacts]] = {}
        self.registry = Registry(fleet.database, self.director, self.images)

    @property
    def settings(self) -> Settings:
        """What the owner decided."""
        return self.fleet.settings

    def close(self) -> None:
        """Close all."""
        self.registry.close()
        self.treehub.close()
        self.fleet.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def open_services(
    folder: str, *, linger_s: float = 0.0, now: Callable[[], datetime] = clock
) -> Services:
    """Open a server.

    Args:
        folder: Where it is.
        linger_s: How long a change waits for others, to be written with them.
        now: Says what the time is.

    Raises:
        SetupError: There is none, or it cannot be used.
        Unavailable: Its database does not answer.
    """
    fleet = open_fleet(folder, linger_s=linger_s, now=now)
    try:
        return Services(fleet)
    except BaseException:
        fleet.close()
        raise
