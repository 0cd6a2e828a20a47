# SPDX-License-Identifier: Apache-2.0
"""What a Primary asks of another ECU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ostrya.uptane.client.installer import ImageSource, Outcome
    from ostrya.uptane.client.installs import Target
    from ostrya.uptane.client.secondaries.bundle import Bundle
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.full_verification import Agreed
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.metadata.keys import Key


class ImageOpener(Protocol):
    """Opens images that the Primary has downloaded."""

    def open_image(self, image: Agreed) -> int:
        """Return a descriptor of the file, at its beginning, for whoever closes it."""


class Secondary(Protocol):
    """Another ECU. Every method may raise ``SecondaryUnreachable`` or ``SecondaryRefused``.

    Attributes:
        serial: What it is called.
        hardware_id: What kind it is.
    """

    serial: str
    hardware_id: str

    def public_key(self) -> Key:
        """Return the key that it signs its reports with."""

    def report(self) -> Object:
        """Return what it says of itself, signed."""

    def put_metadata(self, bundle: Bundle) -> None:
        """Let it verify what the Primary has verified."""

    def send_image(
        self, image: Agreed, files: ImageOpener, source: ImageSource, watch: Watch
    ) -> None:
        """Let it have an image, or the leave to get it."""

    def install(self, target: Target) -> Outcome:
        """Let it install what it has."""

    def finish(self, target: Target) -> Outcome:
        """Say what became of an installation that waited for a restart of it."""
