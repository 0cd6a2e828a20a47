# SPDX-License-Identifier: Apache-2.0
"""The server as a device sees it: what can be asked of it, and what it answers. No I/O here.

Whatever goes wrong is a ``ServerError``; nothing is answered by silence. A file counts as absent
only where the server says so with a 404.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.steps import Wanted


class DeviceDataKind(Enum):
    """What a device tells of itself: name, method, path below the gateway, type of content."""

    HARDWARE = ("hardware", "PUT", "system_info", "application/json")
    PACKAGES = ("packages", "PUT", "core/installed", "application/json")
    NETWORK = ("network", "PUT", "system_info/network", "application/json")
    CONFIG = ("config", "POST", "system_info/config", "application/toml")

    @property
    def word(self) -> str:
        """Its name."""
        return self.value[0]

    @property
    def method(self) -> str:
        """How it is sent."""
        return self.value[1]

    @property
    def path(self) -> str:
        """Where to, below the gateway."""
        return self.value[2]

    @property
    def content_type(self) -> str:
        """What it is."""
        return self.value[3]


class EventsOutcome(Enum):
    """What became of events that were sent."""

    TAKEN = "taken"
    NOT_THERE = "not there"
    """The server takes no events at all: it will never take these."""
    TOO_LARGE = "too large"
    """Fewer of them may do."""


class ImageBody(NamedTuple):
    """An image on its way.

    Attributes:
        offset: Where the first byte that comes belongs: where it was asked for, or 0 where the
            server sends all of it.
        total: How long the whole image is, as the server says; None where it does not.
        chunks: The bytes; asking for the next may raise a ``ServerError``.
    """

    offset: int
    total: int | None
    chunks: Iterator[bytes]


class Treehub(NamedTuple):
    """What a pull needs to know: where, who may be there, and who we are for it.

    Attributes:
        url: The OSTree repository.
        ca_path: The only authority to trust.
        cert_path: Our certificate, a file or ``pkcs11:``; empty where the host is not the fleet's,
            which has no business with it.
        key_path: Its key, likewise.
        proxy: Empty for none.
    """

    url: str
    ca_path: str
    cert_path: str
    key_path: str
    proxy: str = ""


class Campaign(NamedTuple):
    """Something that the user is asked about.

    Attributes:
        campaign_id: What an answer names.
        name: For the user.
        size: Bytes to be downloaded; None where that is not said.
        auto_accept: Whether nobody has to be asked.
        description: For the user; empty for none.
        preparation_s: How long it takes before the device is busy; None where that is not said.
        installation_s: How long it will be.
    """

    campaign_id: str
    name: str
    size: int | None = None
    auto_accept: bool = False
    description: str = ""
    preparation_s: int | None = None
    installation_s: int | None = None


class Server(Protocol):
    """What a device asks of its server. Every method may raise a ``ServerError``."""

    def fetch_metadata(self, wanted: Wanted) -> bytes | None:
        """Return a file of a repository; None only if the server says that there is none.

        Raises:
            AnswerTooLarge: It is longer than ``max_bytes``.
            ServerError: It could not be had.
        """

    def put_manifest(self, body: bytes) -> None:
        """Hand in what the vehicle runs; returns once the server has taken it."""

    def open_image(
        self, name: str, uri: str, offset: int, max_bytes: int
    ) -> AbstractContextManager[ImageBody]:
        """Begin to download an image.

        Args:
            name: What the Image repository calls it.
            uri: Where it is; empty for the Image repository itself.
            offset: So many bytes are here already.
            max_bytes: How long the whole may be; more ends in ``AnswerTooLarge``.
        """

    def treehub(self, uri: str = "") -> Treehub:
        """Return how commits are pulled, from an address of its own or from the gateway's."""

    def send_events(self, events: Sequence[Object]) -> EventsOutcome:
        """Hand in events."""

    def send_device_data(self, kind: DeviceDataKind, body: bytes) -> None:
        """Tell something of the device."""

    def campaigns(self) -> tuple[Campaign, ...]:
        """Return what the user is to be asked about; an answer is an event."""

    def close(self) -> None:
        """End all connections."""
