# SPDX-License-Identifier: Apache-2.0
"""Load on one server process: many simulated devices, each with its own certificate and ECU key.

Usage: ``python tools/load_fleet.py [--devices N] [--seconds S] [--threads T] [--kept]``.

A poll is what an up-to-date device does: a manifest, signed anew, and all metadata of both
repositories, over mutual TLS. Each poll makes a connection of its own, as a device does that asks
once in a while; with ``--resume`` it goes on with a session of TLS, and with ``--kept`` devices
keep their connections, as those do that ask every few seconds. Load and server are on the same
machine, and all traffic is on its loopback interface. What is measured goes to stdout as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

from ostrya.fleet.certificates import Purpose, Wish, issue  # noqa: E402
from ostrya.fleet.db import devices as rows  # noqa: E402
from ostrya.fleet.domain.services import Services, open_services  # noqa: E402
from ostrya.fleet.domain.setup import registered  # noqa: E402
from ostrya.uptane.manifest import EcuReport, Times, sign_manifest, sign_report  # noqa: E402
from ostrya.uptane.metadata.keys import uptane_key_id  # noqa: E402
from ostrya.uptane.metadata.secret_keys import SecretKey, make_secret_key  # noqa: E402
from support.fleet_device import EPOCH  # noqa: E402
from support.fleet_server import FleetServer, make, start  # noqa: E402

READS = [
    (404, "/director/2.root.json"),
    (200, "/director/timestamp.json"),
    (200, "/director/snapshot.json"),
    (200, "/director/targets.json"),
    (404, "/repo/2.root.json"),
    (200, "/repo/timestamp.json"),
    (200, "/repo/snapshot.json"),
    (200, "/repo/targets.json"),
]


class Device:
    """A simulated device."""

    def __init__(self, name: str, folder: Path, authority: Path) -> None:
        self.name = name
        self.serial = f"{name}-ecu"
        self.key: SecretKey = make_secret_key("ed25519")
        self.counter = 0
        self.context = ssl.create_default_context(cafile=str(authority))
        self.context.check_hostname = False
        self.context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        self.connection: ssl.SSLSocket | None = None
        self.session: ssl.SSLSession | None = None
        self.waiting: list[bytes] = []

    def sign(self, count: int) -> None:
        """Sign manifests that will be sent, so that the load measures the server."""
        key_id = uptane_key_id(self.key.key)
        for _ in range(count):
            self.counter += 1
            report = EcuReport(self.serial, "release-1", 0, {"sha256": "a" * 64}, "", self.counter)
            signed = sign_report(report, Times(EPOCH, EPOCH), key_id, self.key)
            body = sign_manifest({self.serial: signed}, self.serial, {}, key_id, self.key)
            self.waiting.append(body)

    def poll(self, address: tuple[str, int], options: argparse.Namespace) -> float:
        """Do one poll, and return how long it took."""
        begin = time.perf_counter()
        body = self.waiting.pop(0)
        head = f"PUT /director/manifest HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        connection = self.connection or self.connect(address)
        self.connection = connection if options.kept else None
        try:
            connection.sendall(head.encode() + body)
            expect(connection, 200)
            for status, path in READS:
                connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                expect(connection, status)
        finally:
            if options.resume:
                self.session = connection.session
            if not options.kept:
                connection.close()
        return time.perf_counter() - begin

    def connect(self, address: tuple[str, int]) -> ssl.SSLSocket:
        """Make a connection."""
        raw = socket.create_connection(address, 30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(raw, session=self.session)


def expect(connection: ssl.SSLSocket, wanted: int) -> None:
    """Read an answer, and look at its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head[9:12])
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    if status != wanted:
        raise AssertionError(f"{status}, not {wanted}: {body[:300]!r}")


def register(services: Services, folder: Path, count: int) -> list[Device]:
    """Register devices with their ECUs, all in a few transactions."""
    fleet = services.fleet
    authority = folder / "ca.pem"
    authority.write_bytes(fleet.authority.certificate_pem())
    made: list[tuple[Device, rows.Certificate]] = []
    for number in range(count):
        name = f"device-{number:05}"
        wish = Wish(name, Purpose.DEVICE, 30)
        identity = issue(fleet.authority, wish, fleet.now())
        (folder / f"{name}.pem").write_bytes(identity.certificate_pem())
        (folder / f"{name}.key").write_bytes(identity.key_pem())
        row = registered(identity, wish, fleet.timestamp())
        made.append((Device(name, folder, authority), row))

    def add(connection: object) -> None:
        for device, certificate in made:
            rows.add_device(connection, device.name, fleet.timestamp())  # type: ignore[arg-type]
            rows.add_certificate(connection, certificate)  # type: ignore[arg-type]
            key = device.key.key
            ecu = rows.Ecu(device.serial, device.name, "board", key.keytype, key.public)
            rows.put_ecu(connection, ecu)  # type: ignore[arg-type]
            rows.set_primary(connection, device.name, device.serial)  # type: ignore[arg-type]

    fleet.database.write(add)
    return [device for device, _ in made]


def resident_bytes(pid: int, field: str) -> int:
    """Return how much memory a process holds, or held at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid: int) -> float:
    """Return how much time of the processor a process took."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def run(
    server: FleetServer, devices: list[Device], options: argparse.Namespace
) -> dict[str, object]:
    """Poll for some time, as fast as it goes, and return what came of it."""
    host, _, port = server.url.removeprefix("https://").rpartition(":")
    address = (host, int(port))
    for device in devices:
        device.sign(options.manifests + 1)
    # Once, so that each device has metadata: that is what it has when nothing is new.
    for device in devices:
        device.poll(address, options)
    times: list[float] = []
    errors: list[str] = []
    turns = iter([one for _ in range(options.manifests) for one in devices])
    mutex = threading.Lock()
    before = cpu_seconds(server.process.pid)
    begin = time.monotonic()
    end = begin + options.seconds

    def work() -> None:
        while time.monotonic() < end:
            with mutex:
                device = next(turns, None)
            if device is None:
                return
            try:
                took = device.poll(address, options)
            except (OSError, AssertionError) as exc:
                errors.append(repr(exc))
                device.connection = None
            else:
                times.append(took)

    with ThreadPoolExecutor(options.threads) as pool:
        for future in [pool.submit(work) for _ in range(options.threads)]:
            future.result()
    took = time.monotonic() - begin
    times.sort()
    locked = sum("locked" in line for line in server.output)
    return {
        "devices": len(devices),
        "connections": "kept" if options.kept else "one for each poll",
        "resumed": options.resume,
        "seconds": round(took, 1),
        "polls": len(times),
        "polls_per_second": round(len(times) / took, 1),
        "p50_ms": round(1000 * times[len(times) // 2], 1) if times else None,
        "p99_ms": round(1000 * times[len(times) * 99 // 100], 1) if times else None,
        "server_cpu": round((cpu_seconds(server.process.pid) - before) / took, 2),
        "server_rss_mb": round(resident_bytes(server.process.pid, "VmHWM:") / 1e6, 1),
        "errors": len(errors),
        "first_errors": errors[:3],
        "database_locked": locked,
        "load_1m": Path("/proc/loadavg").read_text().split()[0],
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> int:
    """Make a server with devices in a folder, load it, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--manifests", type=int, default=12, help="signed for each device at most")
    parser.add_argument("--kept", action="store_true", help="devices keep their connections")
    parser.add_argument("--resume", action="store_true", help="connections resume a session")
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="load-fleet-"))
    try:
        folder = make(top / "fleet")
        (top / "devices").mkdir()
        with open_services(str(folder)) as services:
            devices = register(services, top / "devices", options.devices)
        with start(folder) as server:
            print(json.dumps(run(server, devices, options), indent=2))
            for device in devices:
                if device.connection is not None:
                    device.connection.close()
            server.process.send_signal(signal.SIGTERM)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
