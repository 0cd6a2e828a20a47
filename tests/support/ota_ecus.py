# SPDX-License-Identifier: Apache-2.0
"""Another ECU of a vehicle that does what a test says."""

from __future__ import annotations

import os

from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.errors import UptaneError
from ostrya.uptane.manifest import EcuReport, RegisteredEcu, Times, sign_report
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.keys import uptane_key_id
from support.ota_world import Device
from support.uptane_world import NOW, image, key

SECOND = "ecu-2"


class FakeEcu:
    """An ECU.

    Attributes:
        did: What it was asked for.
        errors: What it raises, by what it is asked for.
        outcome: What comes of an installation.
    """

    def __init__(self, serial: str = SECOND, hardware_id: str = "sensor") -> None:
        self.serial = serial
        self.hardware_id = hardware_id
        self.secret = key(40)
        self.did: list[str] = []
        self.errors: dict[str, UptaneError] = {}
        self.outcome = Outcome.good()
        self.content = b"old"
        self.image = "old"
        self.received = b""

    def _do(self, what: str) -> None:
        self.did.append(what)
        if what in self.errors:
            raise self.errors[what]

    def public_key(self):
        return self.secret.key

    def report(self):
        self._do("report")
        report = EcuReport(self.serial, self.image, len(self.content), digests(self.content))
        times = Times(NOW, NOW)
        return sign_report(report, times, uptane_key_id(self.secret.key), self.secret)

    def put_metadata(self, bundle):
        self._do("put_metadata")

    def send_image(self, image, files, source, watch):
        self._do("send_image")
        fd = files.open_image(image)
        with os.fdopen(fd, "rb") as file:
            self.received = file.read()

    def install(self, target):
        self._do("install")
        if self.outcome.stage is Stage.DONE and self.outcome.result.success:
            self.content, self.image = self.received, target.name
        return self.outcome

    def finish(self, target):
        self._do("finish")
        return self.outcome


def add_ecu(device: Device, ecu: FakeEcu, content: bytes = b"sensor firmware") -> None:
    """Let a vehicle have another ECU, and the Director want an image for it too."""
    server, world = device.server, device.server.world
    device.secondaries = (*device.secondaries, ecu)
    world.vehicle = world.vehicle._replace(ecus={**world.vehicle.ecus, ecu.serial: ecu.hardware_id})
    server.registered.ecus[ecu.serial] = RegisteredEcu(ecu.secret.key)  # type: ignore[index]
    server.contents["sensor"] = content
    from support.uptane_world import assigned

    told = image(content, hardwareIds=[ecu.hardware_id])
    world.image.images["sensor"] = told
    world.director.images["sensor"] = assigned(told, ecu.serial, ecu.hardware_id)
    world.publish()
