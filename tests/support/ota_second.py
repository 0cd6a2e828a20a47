# SPDX-License-Identifier: Apache-2.0
"""A real second ECU, in this process or at the other end of a wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from ostrya.uptane.client.secondaries.daemon import EcuListener, EcuService
from ostrya.uptane.client.secondaries.ecu import Ecu
from ostrya.uptane.client.secondaries.ecu_identity import EcuIdentity, Verification
from ostrya.uptane.client.secondaries.firmware import FileFirmware
from ostrya.uptane.client.secondaries.ip import IpSecondary, ask_info
from ostrya.uptane.client.secondaries.link import Address, LinkTls, Timeouts
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.metadata.keys import uptane_key_id
from support.ota_ecus import SECOND
from support.ota_world import BUILT
from support.uptane_world import NOW, key

TIMEOUTS = Timeouts(5, 10, 20)


@contextmanager
def make_ecu(
    top: Path,
    verification: Verification = Verification.FULL,
    clock=lambda: NOW,
    firmware=None,
) -> Iterator[Ecu]:
    """An ECU whose image is a file."""
    secret = key(40)
    identity = EcuIdentity(SECOND, "sensor", uptane_key_id(secret.key), secret, verification)
    firmware = firmware or FileFirmware(str(top / "firmware.bin"), str(top / "firmware.name"))
    with open_storage(str(top / "ecu/sql.db")) as storage:
        yield Ecu(storage, identity, firmware, clock, BUILT)


class EcuThread:
    """An ECU that listens, on a thread; it opens its database there."""

    def __init__(self, top: Path, tls: LinkTls | None = None, **more: object) -> None:
        self.top = top
        self.port = 0
        self.tls = tls
        self.more = more
        self._ready = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with make_ecu(self.top, **self.more) as ecu:  # type: ignore[arg-type]
            service = EcuService(ecu, str(self.top))
            with EcuListener(service, 0, self.tls, "127.0.0.1") as listener:
                self.port = listener.port
                self._ready.set()
                while not self._ending.is_set():
                    listener.serve_one()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *exc_info: object) -> None:
        import socket

        self._ending.set()
        # Only to be noticed: it may be hung up on before it is there.
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            pass
        self._thread.join(10)

    def address(self, tls: LinkTls | None = None) -> Address:
        return Address("127.0.0.1", self.port, tls)

    def secondary(
        self, tls: LinkTls | None = None, verification: Verification = Verification.FULL
    ) -> IpSecondary:
        """It, as its Primary asks it."""
        address = self.address(tls)
        return IpSecondary(address, ask_info(address, TIMEOUTS), verification, TIMEOUTS)
