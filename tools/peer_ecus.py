# SPDX-License-Identifier: Apache-2.0
"""Other ECUs of a vehicle: aktualizr's and ours at either end of the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from demo_ota import forge, free_port
from peer_checks import Unexpected, expect, expect_so
from peer_lab import Device, Lab, Wish

_ECU = """\
[network]
port = {port}
primary_ip = "127.0.0.1"
primary_port = {primary}

[uptane]
ecu_serial = "{serial}"
ecu_hardware_id = "{kind}"
key_type = "{key_type}"
verification_type = "{verification}"

[storage]
path = "{top}"
sqldb_path = "secondary.db"

[import]
base_path = "{top}/import"

[pacman]
{pacman}
packages_file = "{top}/packages"

[bootloader]
reboot_sentinel_dir = "{top}/session"
reboot_command = ""
"""


class Pair(NamedTuple):
    """A Primary, and an ECU at the other end of a wire.

    Attributes:
        name: What the vehicle is called.
        primary_is_ours: Whose Primary it is.
        ecu_is_ours: Whose ECU it is.
        verification: What the ECU verifies.
        key_type: Of the key of the ECU.
        commit: What is deployed on the ECU; empty where its images are files.
    """

    name: str
    primary_is_ours: bool
    ecu_is_ours: bool
    verification: str = "Full"
    key_type: str = "RSA2048"
    commit: str = ""


class Vehicle:
    """A Primary and an ECU, which are not running yet.

    Attributes:
        device: The Primary.
        ecu: The other one.
        serial: What that is called.
        kind: Of hardware.
    """

    def __init__(self, lab: Lab, pair: Pair) -> None:
        self.kind = self.serial = f"{pair.name}-sensor"
        self.ecu = Device(self.serial, lab.work / self.serial, pair.ecu_is_ours)
        for folder in ("import", "images"):
            (self.ecu.top / folder).mkdir(parents=True)
        self._lab = lab
        self._port, waits = free_port(), free_port()
        self.ecu.config.write_text(
            _ECU.format(
                port=self._port, primary=waits, serial=self.serial, kind=self.kind,
                top=self.ecu.top, key_type=pair.key_type, verification=pair.verification,
                pacman=lab.manager(self.ecu, pair.commit),
            )
        )  # fmt: skip
        named = {"addr": f"127.0.0.1:{self._port}", "verification_type": pair.verification}
        ecus = lab.work / f"{pair.name}-ecus.json"
        section = {
            "secondaries_wait_port": waits, "secondaries_wait_timeout": 20, "secondaries": [named],
        }  # fmt: skip
        ecus.write_text(json.dumps({"IP": section}))
        self.device = lab.make(pair.name, Wish(secondaries=ecus, ours=pair.primary_is_ours))

    @contextmanager
    def up(self) -> Iterator[Device]:
        """Have the ECU running."""
        with self._lab.ecu(self.ecu, self._port):
            yield self.device


def updated(lab: Lab, pair: Pair) -> str:
    """Update an ECU by a file; return what became of it."""
    vehicle = Vehicle(lab, pair)
    serial = vehicle.serial
    with vehicle.up() as device:
        lab.cycle(device)
        expect_so(serial in lab.images(device), f"the server knows {serial}")
        data = f"firmware of a sensor, for {pair.name}\n".encode() * 5000
        image = lab.add_file(f"sensor-{pair.name}", data, vehicle.kind)
        lab.fleet("assign", device.name, image, f"--ecu={serial}")
        lab.cycle(device)
        lab.cycle(device)
        expect(lab.states(device).get(serial), (image, "done"), "the assignment")
        expect(lab.images(device)[serial], image, "what it says that it runs")
    files = [path for path in vehicle.ecu.top.rglob("*") if path.is_file()]
    expect(sum(path.read_bytes() == data for path in files), 1, "copies of the image at the ECU")
    return f"{len(data):,} bytes; done"


def deployed(lab: Lab, pair: Pair) -> str:
    """Update an ECU by a commit, which it pulls itself; return what became of it."""
    vehicle = Vehicle(lab, pair)
    serial = vehicle.serial
    with vehicle.up() as device:
        lab.cycle(device)
        image = lab.add_commit(f"for-{pair.name}", vehicle.kind)
        lab.fleet("assign", device.name, image, f"--ecu={serial}")
        lab.cycle(device)
        expect(lab.states(device).get(serial), (image, "applied"), "before the restart")
    lab.boot(vehicle.ecu)
    with vehicle.up() as device:
        lab.cycle(device)
        lab.cycle(device)
        expect(lab.states(device).get(serial), (image, "done"), "after the restart")
        expect(lab.images(device)[serial], image, "what it says that it runs")
    return "pulled with the Primary's certificate, deployed; done after the ECU's restart"


def deceived(lab: Lab, pair: Pair) -> str:
    """Order something forged for an ECU; return what became of it."""
    vehicle = Vehicle(lab, pair)
    with vehicle.up() as device:
        lab.cycle(device)
        image = forge(lab, device.name, "f" * 64, vehicle.kind)
        lab.cycle(device, fails=pair.primary_is_ours)
        if lab.images(device)[vehicle.serial] == image:
            raise Unexpected("the ECU runs what was forged")
        return f"refused; the assignment is {lab.states(device)[vehicle.serial][1]}"


def theirs_with_theirs(lab: Lab) -> str:
    """Aktualizr and aktualizr-secondary, with our server."""
    return updated(lab, Pair("a-a", primary_is_ours=False, ecu_is_ours=False))


def theirs_with_ours(lab: Lab) -> str:
    """Aktualizr updates `ostrya ota secondary`."""
    return updated(lab, Pair("a-o", primary_is_ours=False, ecu_is_ours=True))


def ours_with_theirs(lab: Lab) -> str:
    """`ostrya ota run` updates aktualizr-secondary."""
    return updated(lab, Pair("o-a", primary_is_ours=True, ecu_is_ours=False))


def taken_over(lab: Lab) -> str:
    """`ostrya ota secondary` goes on with the database of aktualizr-secondary."""
    vehicle = Vehicle(lab, Pair("moving-ecu", primary_is_ours=False, ecu_is_ours=False))
    serial = vehicle.serial
    for number, is_ours in enumerate((False, True), 1):
        vehicle.ecu = vehicle.ecu._replace(ours=is_ours)
        with vehicle.up() as device:
            lab.cycle(device)
            image = lab.add_file(f"moving-{number}", f"firmware {number}\n".encode(), vehicle.kind)
            lab.fleet("assign", device.name, image, f"--ecu={serial}")
            lab.cycle(device)
            lab.cycle(device)
            expect(lab.states(device).get(serial), (image, "done"), "the assignment")
    expect_so("ManifestRejected" not in lab.events(vehicle.device), "each manifest was taken")
    return "same serial and key; updated by ours"


def theirs_with_ours_ed25519(lab: Lab) -> str:
    """Aktualizr updates `ostrya ota secondary` with a key of ed25519."""
    pair = Pair("a-o-ed", primary_is_ours=False, ecu_is_ours=True, key_type="ED25519")
    return updated(lab, pair)


def ours_with_theirs_ed25519(lab: Lab) -> str:
    """`ostrya ota run` updates aktualizr-secondary with a key of ed25519."""
    pair = Pair("o-a-ed", primary_is_ours=True, ecu_is_ours=False, key_type="ED25519")
    return updated(lab, pair)


def theirs_with_ours_tuf(lab: Lab) -> str:
    """Aktualizr updates `ostrya ota secondary` that verifies the Image repository alone."""
    return updated(
        lab, Pair("a-o-tuf", primary_is_ours=False, ecu_is_ours=True, verification="Tuf")
    )


def ours_with_theirs_tuf(lab: Lab) -> str:
    """`ostrya ota run` updates aktualizr-secondary that verifies the Image repository alone."""
    return updated(
        lab, Pair("o-a-tuf", primary_is_ours=True, ecu_is_ours=False, verification="Tuf")
    )


def theirs_with_ours_deceived(lab: Lab) -> str:
    """What is forged is refused by aktualizr, in front of our ECU."""
    return deceived(lab, Pair("a-o-forged", primary_is_ours=False, ecu_is_ours=True))


def ours_with_theirs_deceived(lab: Lab) -> str:
    """What is forged is refused by ours, in front of aktualizr-secondary."""
    return deceived(lab, Pair("o-a-forged", primary_is_ours=True, ecu_is_ours=False))


def theirs_with_ours_commit(lab: Lab) -> str:
    """Aktualizr has `ostrya ota secondary` deploy a commit."""
    commit = lab.newest()
    return deployed(lab, Pair("a-o-tree", primary_is_ours=False, ecu_is_ours=True, commit=commit))


def ours_with_theirs_commit(lab: Lab) -> str:
    """`ostrya ota run` has aktualizr-secondary deploy a commit."""
    commit = lab.newest()
    return deployed(lab, Pair("o-a-tree", primary_is_ours=True, ecu_is_ours=False, commit=commit))


def theirs_with_theirs_commit(lab: Lab) -> str:
    """Aktualizr has aktualizr-secondary deploy a commit."""
    commit = lab.newest()
    return deployed(lab, Pair("a-a-tree", primary_is_ours=False, ecu_is_ours=False, commit=commit))


def virtual(lab: Lab) -> str:
    """An ECU of aktualizr's own process is registered later, and updated."""
    device = lab.make("virtual", Wish())
    lab.cycle(device)
    expect(len(lab.images(device)), 1, "ECUs")
    folder = lab.work / "virtual-ecu"
    folder.mkdir()
    ecu = {
        "partial_verifying": False, "ecu_serial": "virtual-ecu", "ecu_hardware_id": "virtual-ecu",
        "full_client_dir": str(folder), "ecu_private_key": "sec.private",
        "ecu_public_key": "sec.public", "firmware_path": str(folder / "firmware"),
        "target_name_path": str(folder / "name"), "metadata_path": str(folder / "metadata"),
    }  # fmt: skip
    (folder / "ecus.json").write_text(json.dumps({"virtual": [ecu]}))
    words = f'[uptane]\nsecondary_config_file = "{folder / "ecus.json"}"'
    device.config.write_text(device.config.read_text().replace("[uptane]", words))
    lab.cycle(device)
    expect(len(lab.images(device)), 2, "ECUs after one more is there")
    image = lab.add_file("firmware-virtual", b"of a virtual ECU" * 1000, "virtual-ecu")
    lab.fleet("assign", device.name, image, "--ecu=virtual-ecu")
    lab.cycle(device)
    lab.cycle(device)
    expect(lab.states(device)["virtual-ecu"], (image, "done"), "the assignment")
    return "registered anew with one ECU more; done"
