# SPDX-License-Identifier: Apache-2.0
"""A server of `ostrya fleet` in a folder, run as a program of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from ostrya.fleet.api.messages import PEER
from ostrya.fleet.certificates import Peer, Purpose
from ostrya.fleet.domain import devices
from ostrya.fleet.domain.setup import Plan, make_fleet
from ostrya.fleet.settings import Server, Settings
from ostrya.uptane.author.images import About
from support.fleet_device import Device, Link, Reply, provision, tls


@dataclass
class FleetServer:
    """A server that runs, and where it is."""

    folder: Path
    process: subprocess.Popen
    addresses: dict[str, str]
    output: list[str]
    reader: threading.Thread

    @property
    def ca(self) -> Path:
        return self.folder / "ca" / "ca.pem"

    @property
    def url(self) -> str:
        return self.addresses["devices"]

    def provisioning(self) -> Link:
        """A connection with the shared credentials."""
        folder = self.folder / "ca"
        return Link(
            self.url, tls(self.ca, folder / "provisioning.pem", folder / "provisioning.key")
        )

    def device(self, name: str, folder: Path, ecus=None) -> Device:
        """A device that has registered itself and its ECUs."""
        link = self.provisioning()
        found = provision(link, name, folder, self.ca, ecus)
        link.close()
        reply = found.register()
        assert reply.status == 201, reply.body
        return found

    def tools(self, certificate: Path | None = None, key: Path | None = None) -> Link:
        """A connection to the door for tools."""
        return Link(self.addresses["tools"], tls(self.ca, certificate, key))

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def make(folder: Path, now: datetime | None = None, **server: object) -> Path:
    """Make a server for this machine."""
    values = {
        "name": "demo",
        "hostnames": ("localhost", "127.0.0.1"),
        "listen": "127.0.0.1:0",
        "admin_listen": "127.0.0.1:0",
        **server,
    }
    make_fleet(Plan(Settings(str(folder), Server(**values))), now or datetime.now(UTC))  # type: ignore[arg-type]
    return folder


def start(folder: Path) -> FleetServer:
    """Run a server until it says that it answers."""
    argv = [sys.executable, "-m", "ostrya", "fleet", "serve", str(folder), "--json"]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    output: list[str] = []

    def read() -> None:
        assert process.stderr is not None
        output.extend(process.stderr)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert process.stdout is not None
    line = read_value(process.stdout)
    if not line:
        process.wait(10)
        time.sleep(0.1)
        raise AssertionError("".join(output))
    return FleetServer(folder, process, json.loads(line)["addresses"], output, reader)


def read_value(stream) -> str:
    """The lines of one value of JSON."""
    lines = []
    for line in stream:
        lines.append(line)
        if line.startswith("}"):
            break
    return "".join(lines)


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self, now: datetime = datetime(2026, 12, 1, 12, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


class DirectLink:
    """A connection to an application in this process, made by whoever a certificate says."""

    def __init__(self, app, peer: Peer | None = None) -> None:
        self.app = app
        self.peer = peer
        self.host, self.port = "localhost", 0

    def ask(self, method, path, body=None, headers=None, *, pieces=None) -> Reply:
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "https",
            "server": ("localhost", 443),
            "client": ("127.0.0.1", 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            PEER: self.peer,
        }
        sent: list[dict] = []
        parts = list(pieces) if pieces is not None else [body or b""]
        waiting = [
            {"type": "http.request", "body": one, "more_body": at + 1 < len(parts)}
            for at, one in enumerate(parts)
        ]

        async def receive() -> dict:
            if waiting:
                return waiting.pop(0)
            return {"type": "http.disconnect"}

        async def send(message) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = sent[0]
        found = {k.decode().lower(): v.decode() for k, v in start["headers"]}
        return Reply(start["status"], b"".join(one.get("body", b"") for one in sent[1:]), found)

    def close(self) -> None:
        pass


def direct_device(services, gateway, name: str = "dev-1", ecus=None) -> Device:
    """A device that is registered, and asks in this process."""
    identity = devices.provision(services.fleet, name, 30)
    peer = Peer(name, Purpose.DEVICE, identity.serial)
    found = Device(name, DirectLink(gateway, peer), ecus)
    assert found.register().status == 201
    return found


def publish_file(services, folder: Path, name: str = "fw-1", **about: object) -> Path:
    """Put an image that is a file into the Image repository."""
    path = folder / f"{name}.bin"
    path.write_bytes(name.encode() * 100)
    told = {"hardware_ids": ("board",), **about}
    services.images.add(name, str(path), About(**told), services.fleet.now(), is_commit=False)
    return path
