# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat
import tomllib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from ostrya.uptane.client.device_files import (
    Asking,
    MadeDevice,
    ask_server,
    sign_by_authority,
    write_device,
)
from ostrya.uptane.client.p12 import TlsIdentity, check_pair
from ostrya.uptane.credentials_zip import DEVICE_P12, read_members
from ostrya.uptane.errors import AuthoringError, IdentityError, NotProvisioned, RegisteredTwice
from support.fleet_ca import FleetCa, pem_of_key
from support.ota_device import NOW


def authority(ca: FleetCa) -> TlsIdentity:
    return TlsIdentity(b"", ca.pem, pem_of_key(ca.key))


def test_the_authority_signs():
    ca = FleetCa()
    made = sign_by_authority(authority(ca), "car-1", 30, NOW)
    assert (made.device_id, made.identity.common_name, made.identity.ca) == (
        "car-1", "car-1", ca.pem,
    )  # fmt: skip
    check_pair(made.identity.cert, made.identity.key, "it")
    found = x509.load_pem_x509_certificate(made.identity.cert)
    found.verify_directly_issued_by(ca.certificate)
    assert (found.not_valid_after_utc - NOW).days == 30
    # An authority that is not so old itself cannot vouch for earlier days.
    assert found.not_valid_before_utc == ca.certificate.not_valid_before_utc
    assert sign_by_authority(authority(ca), "", 30, NOW).device_id.count("-") == 2


def test_no_certificate_outlives_its_authority():
    ca = FleetCa()
    made = sign_by_authority(authority(ca), "car-1", 99999, NOW)
    found = x509.load_pem_x509_certificate(made.identity.cert)
    assert found.not_valid_after_utc == ca.certificate.not_valid_after_utc


def test_an_authority_with_another_kind_of_key():
    ca = FleetCa(key=rsa.generate_private_key(65537, 2048))
    made = sign_by_authority(authority(ca), "car-1", 30, NOW)
    x509.load_pem_x509_certificate(made.identity.cert).verify_directly_issued_by(ca.certificate)


def test_an_authority_that_is_none():
    ca = FleetCa()
    with pytest.raises(IdentityError, match="do not belong together"):
        sign_by_authority(TlsIdentity(b"", ca.pem, pem_of_key(FleetCa().key)), "car-1", 30, NOW)
    for name in ("x" * 65, "a\nb"):
        with pytest.raises(IdentityError, match="cannot name a device"):
            sign_by_authority(authority(ca), name, 30, NOW)


def test_the_server_is_asked_and_the_zip_stays(device, gateway):
    device.write_zip()
    made = ask_server(Asking(str(device.zip_path)), "car-9", 30)
    assert (made.device_id, made.server) == ("car-9", gateway.url)
    assert made.identity.cert == gateway.fleet.devices["car-9"].cert_pem
    assert made.identity.ca == gateway.ca.pem
    assert DEVICE_P12 in read_members(str(device.zip_path))
    assert gateway.requests("/devices")[0].json()["ttl"] == "30"
    with pytest.raises(RegisteredTwice, match="car-9"):
        ask_server(Asking(str(device.zip_path)), "car-9", 30)
    with pytest.raises(NotProvisioned, match="no credentials"):
        ask_server(Asking("/none.zip", server=gateway.url), "car-9", 30)


def test_what_is_written(tmp_path):
    identity = TlsIdentity(b"ca", b"cert", b"key")
    folder = tmp_path / "car"
    made = MadeDevice("car-1", identity, "https://host")
    paths = write_device(str(folder), made, "/var/sota/import")
    assert sorted(paths) == sorted(map(str, folder.iterdir()))
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in folder.iterdir())
    settings = tomllib.loads((folder / "20-device.toml").read_text())
    assert settings["tls"] == {"server": "https://host"}
    section = settings["import"]
    assert section.pop("base_path") == "/var/sota/import"
    assert {key: (folder / name).read_bytes() for key, name in section.items()} == {
        "tls_cacert_path": b"ca", "tls_clientcert_path": b"cert", "tls_pkey_path": b"key",
    }  # fmt: skip
    with pytest.raises(AuthoringError, match="is there already"):
        write_device(str(folder), made._replace(identity=TlsIdentity(b"", b"", b"")), "/x")
    assert (folder / "client.key").read_bytes() == b"key"


def test_without_a_server(tmp_path):
    identity = TlsIdentity(b"ca", b"cert", b"key")
    write_device(str(tmp_path), MadeDevice("car-1", identity), "/x")
    assert "tls" not in tomllib.loads((tmp_path / "20-device.toml").read_text())
