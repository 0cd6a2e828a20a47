# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from ostrya.uptane.client.p12 import MAX_BYTES, check_pair, common_name, load_certificate, read_p12
from ostrya.uptane.errors import IdentityError
from support.fleet_ca import FleetCa

CA = FleetCa()
DEVICE = CA.issue("device-1")


def test_read():
    found = read_p12(CA.p12(DEVICE), "", "it")
    assert found.ca == CA.pem
    assert found.cert == DEVICE.cert_pem
    assert found.common_name == "device-1"
    check_pair(found.cert, found.key, "it")


def test_passwords():
    data = CA.p12(DEVICE, b"secret")
    assert read_p12(data, "secret", "it").common_name == "device-1"
    for wrong in ("", "other"):
        with pytest.raises(IdentityError, match="no PKCS#12 that can be read"):
            read_p12(data, wrong, "it")


def test_a_certificate_of_an_unknown_version():
    data = CA.p12(DEVICE).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09")
    with pytest.raises(IdentityError):
        read_p12(data, "", "it")
    pem = DEVICE.certificate.public_bytes(serialization.Encoding.DER).replace(
        b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09"
    )
    lines = base64.encodebytes(pem).decode()
    with pytest.raises(IdentityError, match="no certificate in PEM"):
        load_certificate(
            f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n".encode(), "it"
        )


def test_as_old_programs_write_it():
    """With an empty password, which is not the same as none."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(1000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(__import__("cryptography.hazmat.primitives.hashes", fromlist=["x"]).SHA1())
        .build(b"x")
    )
    data = pkcs12.serialize_key_and_certificates(
        b"d", DEVICE.key, DEVICE.certificate, [CA.certificate], encryption
    )
    assert read_p12(data, "x", "it").common_name == "device-1"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no PKCS#12"),
        (b"\x30\x80" * 100, "no PKCS#12"),
        (b"\0" * (MAX_BYTES + 1), "larger than"),
        (CA.p12(DEVICE, with_ca=False), "0 certificates of authorities"),
        (CA.p12(DEVICE)[:-20], "no PKCS#12"),
    ],
    # Keys are new in each process, and all have to know the tests by the same names.
    ids=["empty", "zeros", "large", "without-an-authority", "cut-off"],
)
def test_none(data, words):
    with pytest.raises(IdentityError, match=words):
        read_p12(data, "", "it")


def test_without_a_key():
    data = pkcs12.serialize_key_and_certificates(
        None, None, None, [CA.certificate], serialization.NoEncryption()
    )
    with pytest.raises(IdentityError, match="no key with its certificate"):
        read_p12(data, "", "it")


def test_halves_of_two():
    with pytest.raises(IdentityError, match="do not belong together"):
        check_pair(DEVICE.cert_pem, CA.issue("other").key_pem, "it")
    with pytest.raises(IdentityError, match="key of it cannot be used"):
        check_pair(DEVICE.cert_pem, b"none", "it")
    with pytest.raises(IdentityError, match="no certificate in PEM"):
        check_pair(b"none", DEVICE.key_pem, "it")


def test_names():
    assert common_name(CA.pem, "it") == "fleet"
    with pytest.raises(IdentityError):
        common_name(b"none", "it")
