# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.client.secondaries.config import parse_ecus, read_ecus
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.link import Address, LinkTls
from ostrya.uptane.errors import ConfigError

VIRTUAL = {"ecu_hardware_id": "sensor", "full_client_dir": "/var/sota/sensor"}


def parse(value):
    return parse_ecus(json.dumps(value).encode(), "f.json")


def test_aktualizrs_file():
    found = parse({
        "IP": {
            "secondaries_wait_port": 9040, "secondaries_wait_timeout": 20,
            "secondaries": [
                {"addr": "127.0.0.1:9031"},
                {"addr": "[fe80::1]:9032", "verification_type": "Tuf"},
                {
                    "addr": "ecu:9033", "verification_type": "Full", "tls_ca": "/a",
                    "tls_cert": "/c", "tls_key": "/k",
                },
            ],
        },
        "virtual": [
            {**VIRTUAL, "partial_verifying": True, "ecu_serial": "s", "key_type": "ED25519"},
            {**VIRTUAL, "metadata_path": "/m", "firmware_path": "/tmp/fw", "ecu_private_key": "k"},
        ],
        "socketcan": {},
    })  # fmt: skip
    assert found.wait_s == 20
    assert [(one.address, one.verification) for one in found.ip] == [
        (Address("127.0.0.1", 9031), Verification.FULL),
        (Address("fe80::1", 9032), Verification.TUF),
        (Address("ecu", 9033, LinkTls("/a", "/c", "/k")), Verification.FULL),
    ]
    first, second = found.virtual
    assert (first.serial, first.key_kind, first.verification) == (
        "s",
        "ed25519",
        Verification.PARTIAL,
    )
    assert first.metadata_path == "/var/sota/sensor/metadata"
    assert (second.firmware_path, second.private_key) == ("/tmp/fw", "/var/sota/sensor/k")
    assert found.warnings == ("f.json: ECUs of the kind 'socketcan' are not known",)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "is no object"),
        ({"IP": []}, "is no object"),
        ({"IP": {"secondaries": {}}}, "in lists"),
        ({"IP": {"secondaries": [1]}}, "is no object"),
        ({"IP": {"secondaries": [{}]}}, "has no addr"),
        ({"IP": {"secondaries": [{"addr": "x"}]}}, "is no address"),
        ({"IP": {"secondaries": [{"addr": "x:99999"}]}}, "is no address"),
        ({"IP": {"secondaries": [{"addr": "x:1", "verification_type": "y"}]}}, "Full or Tuf"),
        ({"IP": {"secondaries": [{"addr": "x:1", "tls_ca": "y"}]}}, "belong together"),
        ({"IP": {"secondaries": [{"addr": "x:1"}, {"addr": "x:1"}]}}, "two ECUs have the addr"),
        ({"IP": {"secondaries_wait_timeout": -1}}, "number of seconds"),
        ({"virtual": [{}]}, "has no full_client_dir"),
        ({"virtual": [{"full_client_dir": "/x"}]}, "has no ecu_hardware_id"),
        ({"virtual": [{**VIRTUAL, "partial_verifying": "yes"}]}, "true or false"),
        ({"virtual": [{**VIRTUAL, "key_type": "DSA"}]}, "key_type is one of"),
        ({"virtual": [VIRTUAL, VIRTUAL]}, "two ECUs have the metadata_path"),
    ],
)
def test_what_cannot_be_used(value, words):
    with pytest.raises(ConfigError, match=words):
        parse(value)


def test_no_file_and_no_json(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_ecus(str(tmp_path / "x"))
    (tmp_path / "x").write_text("{")
    with pytest.raises(ConfigError, match="JSON"):
        read_ecus(str(tmp_path / "x"))
