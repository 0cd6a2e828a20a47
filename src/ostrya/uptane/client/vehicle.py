# SPDX-License-Identifier: Apache-2.0
"""Who a device is for its server, and everything that an update cycle works with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.attempts import Pace
from ostrya.uptane.client.watch import NO_WATCH
from ostrya.uptane.full_verification import DirectorFiles
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.trusted_set import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.uptane.client.binary_installer import ImageFiles
    from ostrya.uptane.client.consent import Consent
    from ostrya.uptane.client.installer import Installer
    from ostrya.uptane.client.restart import Restart
    from ostrya.uptane.client.running_time import RunningTime
    from ostrya.uptane.client.secondaries.secondary import Secondary
    from ostrya.uptane.client.server import Server
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.metadata.secret_keys import SecretKey
    from ostrya.uptane.trusted_set import Limits


RELEASED = datetime(2026, 12, 1, tzinfo=UTC)
"""When this program was written: it cannot be earlier, whatever a clock says."""


class Identity(NamedTuple):
    """Who the Primary is.

    Attributes:
        serial: What it is called.
        hardware_id: What kind of board it is.
        vehicle_id: What the Director calls the vehicle; empty if it does not.
        key_id: Of its key, as its reports name it.
        secret: Signs its reports.
    """

    serial: str
    hardware_id: str
    vehicle_id: str
    key_id: str
    secret: SecretKey


class Rules(NamedTuple):
    """How updates are gone about.

    Attributes:
        director_files: What the Director serves.
        image_dialect: How the Image repository spells metadata.
        limits: How much is read of it.
        install_attempts: How often an image is tried in one update.
        force_restart: Whether the device restarts by itself where an update needs that.
        secondary_wait_s: How long an ECU is waited for that has an update to finish.
        update_lock_file: With it other programs hold updates back; empty for none.
        pace: How often the server is asked.
        keeps_images: How many images of each ECU are kept, of those that were installed.
    """

    director_files: DirectorFiles = DirectorFiles.ALL
    image_dialect: Dialect = Dialect.UPTANE
    limits: Limits = DEFAULT_LIMITS
    install_attempts: int = 3
    force_restart: bool = False
    secondary_wait_s: int = 600
    update_lock_file: str = ""
    pace: Pace = Pace(10, 3600)
    keeps_images: int = 2


class Surroundings(NamedTuple):
    """What a cycle is told of the world, and tells it.

    Attributes:
        clock: What the device's clock says, in UTC.
        built_at: When the program was built: it cannot be earlier.
        watch: Looks after long steps.
        tell_phase: Told what is being done.
        send_device_data: Tells the server about the device.
        send_events: Tells it what happened.
        connect: Returns the parts with a server that knows the device; called in each cycle, since
            a device may be offline when it starts first.
        running_time: Goes on where the clock is behind; None for a time that stands still then.
    """

    clock: Callable[[], datetime]
    built_at: datetime
    watch: Watch = NO_WATCH
    tell_phase: Callable[[str], None] = lambda _phase: None
    send_device_data: Callable[[], None] = lambda: None
    send_events: Callable[[], object] = lambda: None
    connect: Callable[[Parts], Parts] = lambda parts: parts
    running_time: RunningTime | None = None


class Parts(NamedTuple):
    """Everything that an update cycle works with.

    Attributes:
        storage: What the device knows.
        server: What it asks.
        identity: Who it is.
        installer: Puts images where the Primary runs them.
        files: Images that are files, for the Primary or for other ECUs.
        restart: Restarts of the machine.
        consent: Whether somebody has to say yes.
        secondaries: The other ECUs.
        rules: How it goes about it.
        around: The world.
    """

    storage: Storage
    server: Server
    identity: Identity
    installer: Installer
    files: ImageFiles
    restart: Restart
    consent: Consent
    secondaries: tuple[Secondary, ...]
    rules: Rules
    around: Surroundings

    def secondary(self, serial: str) -> Secondary | None:
        """Return an ECU; None for the Primary."""
        return next((one for one in self.secondaries if one.serial == serial), None)

    @property
    def ecus(self) -> dict[str, str]:
        """All ECUs: kinds of hardware by serial, the Primary's first."""
        found = {self.identity.serial: self.identity.hardware_id}
        found.update((one.serial, one.hardware_id) for one in self.secondaries)
        return found
