# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from ostrya.fleet import auth
from ostrya.fleet.certificates import Peer, Purpose
from ostrya.fleet.domain.credentials import SERVER_CA, Wanted, make
from ostrya.uptane.author import credentials as members
from ostrya.uptane.author.credentials import read_credentials, write_credentials
from ostrya.uptane.author.push_server import take_apart


def test_for_devices_alone(services):
    found = make(services, Wanted("x"))
    assert set(found.members) == {
        members.GATEWAY_URL, members.DEVICE_P12, members.ROOT, SERVER_CA,
    }  # fmt: skip
    assert found.url(members.GATEWAY_URL) == services.settings.gateway_url
    take_apart(found.members[members.DEVICE_P12])


def test_for_a_tool(services, tmp_path, look):
    secret = auth.new_secret()
    found = make(services, Wanted("ci", secret, auth.digest(secret), with_targets_key=True))
    write_credentials(str(tmp_path / "c.zip"), found)
    found = read_credentials(str(tmp_path / "c.zip"))
    treehub = json.loads(found.members[members.TREEHUB])
    assert treehub["basic_auth"] == {"user": "ci", "password": secret}
    assert treehub["ostree"]["server"] == f"{services.settings.admin_url}/treehub"
    assert found.targets_key() is not None
    assert found.members[members.ROOT] == services.images.read("root.json")
    header = f"Bearer {secret}"
    caller = auth.caller_of(services.fleet, services.registry, None, header)
    assert caller == auth.Caller("ci", "push")
    certificate, _, _ = take_apart(found.members[members.CLIENT_P12])
    from cryptography import x509

    serial = f"{x509.load_pem_x509_certificate(certificate).serial_number:x}"
    peer = Peer("ci", Purpose.TOOL, serial)
    assert auth.caller_of(services.fleet, services.registry, peer, "") == caller
