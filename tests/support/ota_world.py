# SPDX-License-Identifier: Apache-2.0
"""A vehicle with its server, all in one process: the server answers from a `World` of repositories.

What the vehicle does is done by the real client; the server remembers what it was told, checks
manifests as a Director does, and can be made to fail at any request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ostrya.uptane.client import installs, trust_store
from ostrya.uptane.client.binary_installer import BinaryInstaller, ImageFiles
from ostrya.uptane.client.config import BootloaderSection
from ostrya.uptane.client.consent import Consent
from ostrya.uptane.client.event_queue import forget_events, oldest_events
from ostrya.uptane.client.primary import CycleResult, Mode, Primary
from ostrya.uptane.client.restart import Restart, RestartKind
from ostrya.uptane.client.server import EventsOutcome, ImageBody, Treehub
from ostrya.uptane.client.storage import Storage, open_storage
from ostrya.uptane.client.vehicle import Identity, Parts, Rules, Surroundings
from ostrya.uptane.client.watch import NO_WATCH
from ostrya.uptane.errors import AnswerTooLarge, ServerRefused
from ostrya.uptane.manifest import Registered, RegisteredEcu, check_manifest
from ostrya.uptane.metadata.keys import uptane_key_id
from ostrya.uptane.steps import Repository, Wanted
from support.uptane_world import LATER, NOW, World, image, key, make_world

SERIAL = "ecu-1"
CHUNK_BYTES = 1000
RULES = Rules()
BUILT = NOW - LATER


class MemoryServer:
    """A server without a network.

    Attributes:
        contents: Images by name.
        manifests: What the vehicle said, as the Director understood it.
        events: What happened, by id, each once.
        asked: All requests so far, in words.
        hook: Called with each request before it is answered, and again after it; may raise.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.contents: dict[str, bytes] = {}
        self.manifests: list = []
        self.events: dict[str, dict] = {}
        self.asked: list[str] = []
        self.hook: Callable[[str, str], None] = lambda _when, _what: None
        self.ranges = True
        self.treehub_url = ""
        self.registered = Registered(
            SERIAL, {SERIAL: RegisteredEcu(key(30).key)}, world.vehicle.vehicle_id
        )

    @contextmanager
    def _request(self, what: str) -> Iterator[None]:
        self.asked.append(what)
        self.hook("before", what)
        yield
        self.hook("after", what)

    def fetch_metadata(self, wanted: Wanted) -> bytes | None:
        with self._request(f"{wanted.repository.value}/{wanted.file}"):
            data = self.world.repo(wanted.repository).files.get(wanted.file)
            if data is not None and len(data) > wanted.max_bytes:
                raise AnswerTooLarge(wanted.file, wanted.max_bytes)
        return data

    def put_manifest(self, body: bytes) -> None:
        with self._request("manifest"):
            found = check_manifest(body, self.registered)
            for serial, report in found.reports.items():
                ecu = self.registered.ecus[serial]
                counter = report.counter if report.counter is not None else ecu.last_counter
                self.registered.ecus[serial] = ecu._replace(last_counter=counter)  # type: ignore[index]
            self.manifests.append(found)

    @contextmanager
    def open_image(self, name: str, uri: str, offset: int, max_bytes: int) -> Iterator[ImageBody]:
        with self._request(f"image {name} {offset}"):
            data = self.contents.get(name)
            if data is None:
                raise ServerRefused(name, 404)
            start = offset if self.ranges else 0
            yield ImageBody(start, len(data), self._chunks(name, data, start, max_bytes))

    def _chunks(self, name: str, data: bytes, start: int, max_bytes: int) -> Iterator[bytes]:
        for at in range(start, len(data), CHUNK_BYTES):
            if at >= max_bytes:
                raise AnswerTooLarge(name, max_bytes)
            self.hook("chunk", f"image {name} {at}")
            yield data[at : at + CHUNK_BYTES]

    def treehub(self, uri: str = "") -> Treehub:
        return Treehub(uri or self.treehub_url, "", "", "")

    def send_events(self, events: Sequence[dict]) -> EventsOutcome:
        with self._request("events"):
            self.events.update({one["id"]: one for one in events})
        return EventsOutcome.TAKEN

    def send_device_data(self, kind: object, body: bytes) -> None:
        raise AssertionError("device data is somebody else's")

    def campaigns(self) -> tuple:
        return ()

    def close(self) -> None:
        pass

    def results(self) -> list[tuple[str, str]]:
        """Results that the Director was told, as ECU and code, in order."""
        return [
            (item["ecu"], item["result"]["code"])
            for one in self.manifests
            if one.installation_report
            for item in one.installation_report["report"]["items"]
        ]

    def kinds(self) -> list[str]:
        """Kinds of events, in the order in which they came."""
        return [one["eventType"]["id"] for one in self.events.values()]


@dataclass
class Device:
    """A vehicle: what is on its disk, and the client that works with it."""

    top: Path
    server: MemoryServer
    rules: Rules = RULES
    fake_need_reboot: bool = False
    needs_consent: bool = False
    clock: Callable[[], datetime] = lambda: NOW
    built_at: datetime = BUILT
    secondaries: tuple = ()
    watch: object = NO_WATCH
    installer: object = None
    restart_kind: RestartKind = RestartKind.EMULATED
    wrap: Callable[[Storage], Storage] = lambda storage: storage
    phases: list[str] = field(default_factory=list)
    min_free_bytes: int = 0

    @property
    def database(self) -> str:
        return str(self.top / "sota/sql.db")

    def provision(self) -> None:
        """Give it the first roots."""
        with open_storage(self.database) as storage:
            for which in Repository:
                first = self.server.world.repo(which).files["1.root.json"]
                trust_store.set_first_root(storage, which, first)

    def parts(self, storage: Storage) -> Parts:
        files = ImageFiles(str(self.top / "images"), self.min_free_bytes)
        secret = key(30)
        sentinel = BootloaderSection(reboot_sentinel_dir=str(self.top / "run"), reboot_command="")
        return Parts(
            storage,
            self.server,
            Identity(
                SERIAL, "board", self.server.world.vehicle.vehicle_id,
                uptane_key_id(secret.key), secret,
            ),
            self.installer or BinaryInstaller(files, fake_need_reboot=self.fake_need_reboot),
            files,
            Restart(storage, sentinel, self.restart_kind),
            Consent(storage, required=self.needs_consent),
            self.secondaries,
            self.rules,
            Surroundings(
                self.clock, self.built_at, self.watch, self.phases.append,
                send_events=lambda: send_events(storage, self.server),
            ),
        )  # fmt: skip

    @contextmanager
    def primary(self) -> Iterator[Primary]:
        """A client, as a new process has it."""
        with open_storage(self.database) as storage:
            primary = Primary(self.parts(self.wrap(storage)))
            primary.start()
            yield primary

    def cycle(self, mode: Mode = Mode.ONCE) -> CycleResult:
        """Start a client, and let it go through one cycle."""
        with self.primary() as primary:
            return primary.cycle(mode)

    def restart(self) -> None:
        """Let the machine restart, as far as a file says so."""
        (self.top / "run/need_reboot").unlink(missing_ok=True)

    def state(self) -> dict:
        """What is in the database."""
        with open_storage(self.database) as storage:
            return {
                "log": installs.install_log(storage, SERIAL),
                "trusted": {one: trust_store.load_files(storage, one) for one in Repository},
                "results": installs.results(storage),
                "events": [one for _, one in oldest_events(storage, 999)],
            }


def send_events(storage: Storage, server: MemoryServer) -> None:
    """Hand in what is queued."""
    found = oldest_events(storage, 99)
    if found:
        server.send_events([one for _, one in found])
        forget_events(storage, [number for number, _ in found])


def make_device(top: Path, content: bytes = b"firmware " * 500, **more: object) -> Device:
    """A vehicle of one ECU that runs nothing, and a server that has ``firmware`` for it."""
    world = make_world()
    world.vehicle = world.vehicle._replace(ecus={SERIAL: "board"}, installed={})
    server = MemoryServer(world)
    device = Device(top, server, **more)  # type: ignore[arg-type]
    offer(device, "firmware", content)
    device.provision()
    return device


def offer(device: Device, name: str, content: bytes, update: str = "urn:update:1") -> None:
    """Let the Director want an image, which the Image repository has."""
    server = device.server
    server.contents[name] = content
    server.world.director.custom = {"vehicleId": "vehicle-1", "correlationId": update}
    server.world.assign(name, image(content))


def event_body(event: dict) -> dict:
    """What an event says."""
    return json.loads(json.dumps(event))["event"]
