# SPDX-License-Identifier: Apache-2.0
"""An ECU in the Primary's own process, with keys, metadata and an image of its own.

It stands for hardware that the Primary alone can reach, and for tests.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.uptane.client.errors import SecondaryRefused

if TYPE_CHECKING:
    from ostrya.uptane.client.installer import ImageSource, Outcome
    from ostrya.uptane.client.installs import Target
    from ostrya.uptane.client.secondaries.bundle import Bundle
    from ostrya.uptane.client.secondaries.ecu import Ecu
    from ostrya.uptane.client.secondaries.secondary import ImageOpener
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.full_verification import Agreed
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.metadata.keys import Key

_PIECE_BYTES = 64 * 1024


class VirtualSecondary:
    """An ECU in this process; see `Secondary`."""

    def __init__(self, ecu: Ecu) -> None:
        self._ecu = ecu
        self.serial = ecu.identity.serial
        self.hardware_id = ecu.identity.hardware_id

    def public_key(self) -> Key:
        """Return its key."""
        return self._ecu.identity.secret.key

    def report(self) -> Object:
        """Return what it says of itself."""
        return self._ecu.report()

    def put_metadata(self, bundle: Bundle) -> None:
        """Let it verify metadata."""
        try:
            self._ecu.put_metadata(bundle)
        except OstryaError as exc:
            raise SecondaryRefused(
                f"{self.serial} refuses the metadata: {exc.message}", "VERIFICATION_FAILED"
            ) from exc

    def send_image(
        self, image: Agreed, files: ImageOpener, source: ImageSource, watch: Watch
    ) -> None:
        """Let it have an image."""
        try:
            if image.is_ostree:
                self._ecu.fetch(source)
                return
            with os.fdopen(files.open_image(image), "rb") as file:
                self._ecu.begin()
                while data := file.read(_PIECE_BYTES):
                    watch.look()
                    self._ecu.receive(data)
        except SecondaryRefused:
            raise
        except OstryaError as exc:
            raise SecondaryRefused(
                f"{self.serial} refuses {image.name}: {exc.message}", "DOWNLOAD_FAILED"
            ) from exc

    def install(self, target: Target) -> Outcome:
        """Let it install."""
        return self._ecu.install(target.name)

    def finish(self, target: Target) -> Outcome:
        """Say what became of it."""
        from ostrya.uptane.client.installer import Outcome, Stage

        found = self._ecu.finish()
        if found is not None:
            return found
        image = self._ecu.running_image()
        same = image is not None and all(
            image.hashes.get(name, value) == value for name, value in target.hashes.items()
        )
        return Outcome.good() if same else Outcome(Stage.LOST)
