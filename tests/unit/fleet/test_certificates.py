# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from ostrya.fleet.certificates import (
    Peer,
    Purpose,
    Wish,
    check_device_id,
    check_vouched,
    issue,
    load_identity,
    make_authority,
    read_peer,
)
from ostrya.fleet.errors import BadRequest, SetupError
from support.commands import have

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority():
    return make_authority("acme", NOW)


def device(authority, name="dev-1", days=30):
    return issue(authority, Wish(name, Purpose.DEVICE, days), NOW)


def test_who_a_certificate_is_for(authority):
    found = device(authority)
    peer = read_peer(found.certificate.public_bytes(Encoding.DER))
    assert peer == Peer("dev-1", Purpose.DEVICE, found.serial)
    assert check_vouched(found.certificate_pem(), authority.certificate, NOW) == peer


def test_a_certificate_without_a_name_names_nobody(authority):
    assert read_peer(authority.certificate.public_bytes(Encoding.DER)).purpose is None


def test_strangers_are_not_vouched_for(authority):
    stranger = device(make_authority("acme", NOW))
    with pytest.raises(BadRequest, match="no certificate of this fleet's authority"):
        check_vouched(stranger.certificate_pem(), authority.certificate, NOW)
    with pytest.raises(BadRequest, match="no certificate of this fleet's authority"):
        check_vouched(b"-----nothing", authority.certificate, NOW)
    later, data = NOW + timedelta(days=31), device(authority).certificate_pem()
    with pytest.raises(BadRequest, match="expired"):
        check_vouched(data, authority.certificate, later)


def test_a_device_whose_clock_says_1970_can_believe_them(authority):
    for one in (authority, device(authority)):
        assert one.certificate.not_valid_before_utc == datetime(1970, 1, 1, tzinfo=UTC)


def test_no_certificate_outlives_its_authority(authority):
    found = device(authority, days=10**6)
    assert found.certificate.not_valid_after_utc <= authority.certificate.not_valid_after_utc


def test_the_server_has_all_its_names(authority):
    wish = Wish("a.example", Purpose.SERVER, 30, ("a.example", "10.0.0.1", "::1"))
    names = issue(authority, wish, NOW).certificate.extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["a.example"]
    assert [str(one) for one in names.value.get_values_for_type(x509.IPAddress)] == [
        "10.0.0.1",
        "::1",
    ]


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "ä", "a" * 65, "a\n"])
def test_names_that_no_device_has(name):
    with pytest.raises(BadRequest) as caught:
        check_device_id(name)
    assert caught.value.code == "invalid_device_id"


def test_names_of_devices():
    for name in ("a", "0", "fluffy-waffle-12", "a.b_c:d@e+f", "a" * 64):
        check_device_id(name)


def test_pkcs12_has_an_empty_password_a_checksum_and_the_authority(authority, tmp_path):
    found = device(authority)
    data = found.p12("dev-1", [authority.certificate])
    key, certificate, more = pkcs12.load_key_and_certificates(data, b"")
    assert certificate == found.certificate
    assert more == [authority.certificate]
    assert key.public_key() == found.key.public_key()
    if have("openssl"):
        (tmp_path / "a.p12").write_bytes(data)
        argv = [
            "openssl",
            "pkcs12",
            "-in",
            tmp_path / "a.p12",
            "-passin",
            "pass:",
            "-nodes",
            "-info",
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert "MAC: sha256" in done.stderr
        assert done.stdout.count("BEGIN CERTIFICATE") == 2
        assert "BEGIN PRIVATE KEY" in done.stdout


def test_files_that_hold_no_certificate():
    with pytest.raises(SetupError, match="x cannot be read"):
        load_identity(b"-----", b"-----", "x")
