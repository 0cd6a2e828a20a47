# SPDX-License-Identifier: Apache-2.0
"""A device as a server sees one: its own certificate, ECUs with keys, reports, a full verification."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from ostrya.uptane.full_verification import Installed, Vehicle, verify_fully
from ostrya.uptane.manifest import EcuReport, Times, sign_manifest, sign_report
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.keys import uptane_key_id
from ostrya.uptane.metadata.secret_keys import SecretKey, make_secret_key
from ostrya.uptane.steps import Accepted, Repository, Wanted, run_steps
from ostrya.uptane.trusted_set import open_trusted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACES = {Repository.DIRECTOR: "director", Repository.IMAGE: "repo"}


@dataclass
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]

    def json(self):
        return json.loads(self.body)


class Link:
    """A connection to a server; made anew when it breaks."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "localhost", parts.port or 443
        self.context = context
        self._connection: http.client.HTTPSConnection | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    self.host, self.port, context=self.context, timeout=30
                )
            try:
                self._connection.request(method, path, body, dict(headers or {}))
                found = self._connection.getresponse()
                return Reply(
                    found.status, found.read(), {k.lower(): v for k, v in found.getheaders()}
                )
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if attempt == 2:
                    raise
            except OSError:
                self.close()
                raise
        raise AssertionError

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def tls(ca: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """How a client connects."""
    context = ssl.create_default_context(cafile=str(ca))
    if certificate is not None:
        context.load_cert_chain(str(certificate), str(key or certificate))
    return context


@dataclass
class Ecu:
    """An ECU: its key, and what it runs."""

    serial: str
    hardware_id: str
    key: SecretKey = field(default_factory=lambda: make_secret_key("ed25519"))
    image: str = "unknown"
    length: int = 0
    sha256: str = "0" * 64
    counter: int = 0
    attacks: str = ""

    def report(self, *, next_counter: bool = True):
        self.counter += next_counter
        report = EcuReport(
            self.serial,
            self.image,
            self.length,
            {"sha256": self.sha256},
            self.attacks,
            self.counter,
        )
        return sign_report(report, Times(EPOCH, EPOCH), uptane_key_id(self.key.key), self.key)

    def registration(self) -> dict:
        return {
            "ecu_serial": self.serial,
            "hardware_identifier": self.hardware_id,
            "clientKey": self.key.key.to_json(),
        }


class Device:
    """A device, provisioned or not."""

    def __init__(self, name: str, link: Link, ecus: list[Ecu] | None = None) -> None:
        self.name = name
        self.link = link
        self.ecus = ecus or [Ecu(f"{name}-primary", "board")]
        self.kept: dict[Repository, Mapping[str, bytes]] = {}

    @property
    def primary(self) -> Ecu:
        return self.ecus[0]

    def register(self) -> Reply:
        value = {
            "primary_ecu_serial": self.primary.serial,
            "ecus": [one.registration() for one in self.ecus],
        }
        return self.link.ask("POST", "/director/ecus", json.dumps(value).encode())

    def manifest(self, more: Mapping[str, object] | None = None, *, reports=None) -> bytes:
        found = reports or {one.serial: one.report() for one in self.ecus}
        secret = self.primary.key
        return sign_manifest(
            found, self.primary.serial, dict(more or {}), uptane_key_id(secret.key), secret
        )

    def send_manifest(self, more: Mapping[str, object] | None = None) -> Reply:
        return self.link.ask("PUT", "/director/manifest", self.manifest(more))

    def report(self, ecu: Ecu, correlation_id: str, code: str, *, success: bool) -> dict:
        """An installation report of one ECU."""
        result = {"success": success, "code": code, "description": f"it is {code}"}
        report = {
            "correlation_id": correlation_id,
            "items": [{"ecu": ecu.serial, "result": result}],
            "result": result,
            "raw_report": "",
        }
        kind = "application/vnd.com.here.otac.installationReport.v1"
        return {"installation_report": {"content_type": kind, "report": report}}

    def install(self, agreed) -> None:
        """Run what was agreed on."""
        for ecu in self.ecus:
            for one in agreed:
                if ecu.serial in one.ecus:
                    ecu.image, ecu.length = one.name, one.length
                    ecu.sha256 = one.hashes["sha256"]

    def fetch(self, wanted: Wanted) -> bytes | None:
        reply = self.link.ask("GET", f"/{PLACES[wanted.repository]}/{quote(wanted.file)}")
        if reply.status == 404:
            return None
        assert reply.status == 200, reply.body
        assert len(reply.body) <= wanted.max_bytes
        return reply.body

    def keep(self, accepted: Accepted) -> None:
        self.kept[accepted.repository] = dict(accepted.trusted.files)

    def cycle(self, now: datetime | None = None):
        """One full verification; the first root is taken as it comes."""
        for which in Repository:
            if which not in self.kept:
                reply = self.link.ask("GET", f"/{PLACES[which]}/1.root.json")
                assert reply.status == 200, reply.body
                self.kept[which] = {"root": reply.body}
        installed = {one.serial: Installed(one.image, {"sha256": one.sha256}) for one in self.ecus}
        vehicle = Vehicle({one.serial: one.hardware_id for one in self.ecus}, installed, self.name)
        director, images = (
            open_trusted(which.shown, Dialect.UPTANE, self.kept[which]) for which in Repository
        )
        steps = verify_fully(director, images, vehicle, now or datetime.now(UTC))
        return run_steps(steps, self.fetch, self.keep)


def provision(server: Link, name: str, folder: Path, ca: Path, ecus=None) -> Device:
    """Register a device with the shared credentials, as aktualizr does."""
    body = json.dumps({"deviceId": name, "ttl": "36000"}).encode()
    reply = server.ask("POST", "/devices", body)
    assert reply.status == 200, reply.body
    certificate, key = unpack(reply.body, folder, name)
    url = f"https://{server.host}:{server.port}"
    return Device(name, Link(url, tls(ca, certificate, key)), ecus)


def unpack(p12: bytes, folder: Path, name: str) -> tuple[Path, Path]:
    """Take a PKCS#12 with an empty password apart."""
    key, certificate, authorities = pkcs12.load_key_and_certificates(p12, b"")
    assert key is not None
    assert certificate is not None
    assert authorities
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths
