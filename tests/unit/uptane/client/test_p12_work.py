# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from ostrya.uptane.client.p12 import read_p12
from ostrya.uptane.client.p12_work import ENDLESS, rounds_of
from ostrya.uptane.client.secondaries.asn1 import write
from ostrya.uptane.errors import IdentityError
from support.commands import have
from support.fleet_ca import FleetCa

CA = FleetCa()
DEVICE = CA.issue("device-1")


def encrypted(rounds: int, how: pkcs12.PBES) -> bytes:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds)
    encryption = builder.key_cert_algorithm(how).hmac_hash(hashes.SHA256()).build(b"x")
    return pkcs12.serialize_key_and_certificates(
        b"d", DEVICE.key, DEVICE.certificate, [CA.certificate], encryption
    )


def test_a_checksum_only():
    assert rounds_of(CA.p12(DEVICE)) == 2048


@pytest.mark.parametrize(
    "how", [pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, pkcs12.PBES.PBESv2SHA256AndAES256CBC],
    ids=["old", "new"],
)  # fmt: skip
def test_keys_and_certificates_and_a_checksum(how):
    assert rounds_of(encrypted(1234, how)) == 2 * 1234 + 2048


def test_as_openssl_writes_it(tmp_path):
    if not have("openssl"):
        pytest.skip("needs openssl")
    cert, key = DEVICE.write(tmp_path, "d")
    argv = [
        "openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-passout", "pass:",
        "-iter", "4321", "-out", str(tmp_path / "p12"),
    ]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)
    data = (tmp_path / "p12").read_bytes()
    assert rounds_of(data) == 3 * 4321


def test_more_than_anybody_waits_for_is_refused_at_once():
    data = bytearray(CA.p12(DEVICE))
    assert data[-4:] == b"\x02\x02\x08\x00"
    # Two bytes more, in the number and in the two sequences around it.
    data[-4:] = b"\x02\x04\x7f\xff\xff\xff"
    at = data.rfind(b"\x30\x41\x30\x31")
    data[at + 1] += 2
    data[2:4] = (int.from_bytes(data[2:4], "big") + 2).to_bytes(2, "big")
    assert rounds_of(bytes(data)) == 0x7FFFFFFF
    with pytest.raises(IdentityError, match="asks for 2147483647 rounds") as caught:
        read_p12(bytes(data), "", "it")
    assert "5000000" in caught.value.hint


PAIR = write(0x04, b"saltsalt") + write(0x02, b"\x07\x00\x00\x00")


@pytest.mark.parametrize(
    "data",
    [
        write(0x30, PAIR),
        write(0x04, write(0x30, PAIR)),
        b"\x30\x80" + PAIR + b"\0\0",
        b"\x30\x80\x24\x80" + write(0x04, PAIR[:5]) + write(0x04, PAIR[5:]) + b"\0\0\0\0",
        write(0x30, PAIR) + b"garbage that follows",
        b"\xbf\x81\x01" + write(0x30, PAIR)[1:],
    ],
    ids=["sequence", "octets", "open", "open-octets", "garbage", "long-tag"],
)
def test_wherever_they_stand(data):
    assert rounds_of(data) == 0x07000000


def test_what_is_none():
    for data in (b"", b"\x30", b"\x30\x85", b"\x30\x80", b"\x1f\xff", b"\x02\x01\x05", b"\0" * 99):
        assert rounds_of(data) == 0


@pytest.mark.parametrize(
    "data", [b"\x30\x80" * 100, b"\x30\x80" * 30 + b"\x05\x00" * 100_000], ids=["deep", "long"]
)
def test_what_cannot_be_looked_through(data):
    assert rounds_of(data) == ENDLESS
    with pytest.raises(IdentityError):
        read_p12(data, "", "it")
