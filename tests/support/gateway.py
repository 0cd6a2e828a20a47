# SPDX-License-Identifier: Apache-2.0
"""A gateway as devices see it: HTTPS with client certificates, and a rule for whatever is to go wrong.

::

    with Gateway(folder) as gateway:
        gateway.rule(at_first(1, Answer(503), "/director/manifest"))
        gateway.files["/repo/targets/a"] = b"…"

What is asked is kept in ``asked``, with bodies and with the name in the client's certificate. It is
spoken to without TLS where ``tls`` is False.
"""

from __future__ import annotations

import json
import socket
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path

from support.fleet_ca import FleetCa, Issued
from support.hostile import Answer, Asked, HostileServer

_PIECE = 64 * 1024


@dataclass(frozen=True)
class Request(Asked):
    """What was asked, by whom, with what."""

    body: bytes = b""
    client: str = ""

    def json(self):
        return json.loads(self.body)


class Gateway(HostileServer):
    """The server, with an authority of its own, and devices that it knows."""

    def __init__(self, folder: Path, ca: FleetCa | None = None, *, tls: bool = True) -> None:
        self.files: dict[str, bytes] = {}
        super().__init__(self.files)
        self.ca = ca or FleetCa()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.client_required = True
        self._has_old_tls = False
        self.refused: list[str] = []
        self.fleet = Fleet(self.ca)
        self.tls = tls
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://localhost:{self.port}"
        self._served = self.ca.issue("gateway")
        (folder / "ca.pem").write_bytes(self.ca.pem)
        self.ca_path = str(folder / "ca.pem")

    def serve_as(self, issued: Issued) -> None:
        """Show another certificate."""
        self._served = issued

    def only_old_tls(self) -> None:
        """Speak nothing newer than TLS 1.1."""
        self._has_old_tls = True

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self._has_old_tls:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        cert, key = self._served.write(self.folder / "served", "gateway")
        context.load_cert_chain(cert, key)
        context.load_verify_locations(cadata=self.ca.pem.decode())
        if self.ca.revoked:
            crl = self.folder / "revoked.pem"
            crl.write_bytes(self.ca.crl_pem())
            context.load_verify_locations(str(crl))
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        context.verify_mode = ssl.CERT_REQUIRED if self.client_required else ssl.CERT_OPTIONAL
        return context

    def _serve(self, connection: socket.socket) -> None:
        if not self.tls:
            super()._serve(connection)
            return
        held = connection
        try:
            wrapped = self._context().wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            # Known before it is waited for, so that whoever ends the server ends the handshake too.
            with self._lock:
                self._open.discard(connection)
                self._open.add(wrapped)
                held = wrapped
                if self._end.is_set():
                    wrapped.shutdown(socket.SHUT_RDWR)
            wrapped.do_handshake()
        # Without a connection any more, there is no handshake to be had.
        except (OSError, ValueError) as exc:
            self.refused.append(str(exc))
            with self._lock:
                self._open.discard(held)
            held.close()
            return
        super()._serve(wrapped)

    def _read_request(self, connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(_PIECE)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        while len(body) < int(headers.get("content-length", "0")):
            body += connection.recv(_PIECE)
        client = ""
        if isinstance(connection, ssl.SSLSocket) and (peer := connection.getpeercert()):
            client = dict(pair[0] for pair in peer["subject"])["commonName"]
        with self._lock:
            self._visits[path] = self._visits.get(path, 0) + 1
            asked = Request(
                method, path, headers, len(self.asked) + 1, self._visits[path], body, client
            )
            self.asked.append(asked)
        return asked

    def honest(self, asked: Asked) -> Answer:
        assert isinstance(asked, Request)
        answer = self.fleet.answer(asked)
        return answer if answer is not None else super().honest(asked)

    def requests(self, path: str) -> list[Request]:
        """What was asked of one path."""
        return [one for one in self.asked if one.path == path and isinstance(one, Request)]


class Fleet:
    """What a server knows of its devices, and how it answers them."""

    def __init__(self, ca: FleetCa) -> None:
        self.ca = ca
        self.devices: dict[str, Issued] = {}
        self.ecus: dict[str, dict] = {}
        self.events: dict[str, dict] = {}
        self.manifests: list[dict] = []
        self.data: dict[str, bytes] = {}
        self.campaigns: list[dict] = []
        self.provisioner = "provisioning"
        self.claims: dict[str, str] = {}
        self.knows_claims = True

    def answer(self, asked: Request) -> Answer | None:
        """Answer what is not a file; None for those."""
        handler = {
            ("POST", "/devices"): self._provision,
            ("POST", "/director/ecus"): self._register,
            ("PUT", "/director/manifest"): self._manifest,
            ("POST", "/events"): self._events,
            ("GET", "/campaigner/campaigns"): self._campaigns,
            ("PUT", "/system_info"): self._data,
            ("PUT", "/system_info/network"): self._data,
            ("PUT", "/core/installed"): self._data,
            ("POST", "/system_info/config"): self._data,
        }.get((asked.method, asked.path))
        return handler(asked) if handler else None

    def _provision(self, asked: Request) -> Answer:
        name = asked.json()["deviceId"]
        if asked.client != self.provisioner:
            return refusal(403, "forbidden", "not with this certificate")
        claim = asked.json().get("claim", "") if self.knows_claims else ""
        if name in self.devices and not (claim and self.claims.get(name) == claim):
            return refusal(409, "device_already_registered", f"{name} is there")
        self.claims[name] = claim
        self.devices[name] = self.ca.issue(name)
        return Answer(200, self.ca.p12(self.devices[name]))

    def _register(self, asked: Request) -> Answer:
        told = asked.json()
        for device, known in self.ecus.items():
            serials = {one["ecu_serial"] for one in known["ecus"]}
            if device != asked.client and serials & {one["ecu_serial"] for one in told["ecus"]}:
                return refusal(409, "ecu_already_registered", "an ECU of another device")
        first = asked.client not in self.ecus
        self.ecus[asked.client] = told
        return Answer(201 if first else 200)

    def _manifest(self, asked: Request) -> Answer:
        self.manifests.append(asked.json())
        return Answer(200)

    def _events(self, asked: Request) -> Answer:
        for one in asked.json():
            self.events.setdefault(one["id"], one)
        return Answer(204)

    def _campaigns(self, asked: Request) -> Answer:
        return Answer(200, json.dumps({"campaigns": self.campaigns}).encode())

    def _data(self, asked: Request) -> Answer:
        self.data[asked.path] = asked.body
        return Answer(200)


def refusal(status: int, code: str, description: str) -> Answer:
    """What servers say when they say no."""
    body = {"code": code, "description": description, "cause": None, "errorId": "0"}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
