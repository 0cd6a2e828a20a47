# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket

from cryptography.hazmat.primitives.serialization import Encoding

from ostrya.fetch.peer_certificate import peer_certificate
from support.fleet_ca import FleetCa
from support.gateway import Gateway


def test_a_stranger_shows_one_too_and_is_told_nothing(tmp_path):
    with Gateway(tmp_path) as gateway:
        shown = FleetCa("stranger").issue("somebody", days=-1)
        gateway.serve_as(shown)
        found = peer_certificate("localhost", gateway.port, 10)
        assert found == shown.certificate.public_bytes(Encoding.DER)
        assert gateway.asked == []


def test_who_speaks_no_tls_shows_none(tmp_path):
    with Gateway(tmp_path, tls=False) as gateway:
        assert peer_certificate("localhost", gateway.port, 10) is None


def test_nobody_shows_none():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert peer_certificate("127.0.0.1", port, 5) is None
    assert peer_certificate("a name that is none", 443, 5) is None


def test_silence_ends():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert peer_certificate("127.0.0.1", listening.getsockname()[1], 0.2) is None
