# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ostrya.uptane.client.config import ClientConfig, KeySource, KeyType, P11Section, UptaneSection
from ostrya.uptane.client.identity import settle_identity
from ostrya.uptane.client.primary_key import KEY_FACT
from ostrya.uptane.client.token import open_token_key, read_token_certificate, token_uri
from ostrya.uptane.errors import ConfigError
from ostrya.uptane.manifest import EcuReport, Times, sign_report
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.keys import is_signed_by
from ostrya.uptane.metadata.signed import read_envelope
from support.fleet_ca import FleetCa
from support.ota_device import NOW
from support.softhsm import SoftHsm


@pytest.fixture
def token(tmp_path, monkeypatch):
    """A token in files."""
    return SoftHsm(tmp_path / "hsm", monkeypatch)


@pytest.mark.parametrize("kind", ["rsa2048", "ed25519"])
def test_a_key_is_made_there_once_and_signs(token, kind):
    section = token.section(uptane_key_id="0a")
    secret = open_token_key(section, kind)
    assert secret.key.kind == ("ed25519" if kind == "ed25519" else "rsa")
    assert is_signed_by(secret.key, b"report", secret.sign(b"report"))
    assert not is_signed_by(secret.key, b"another", secret.sign(b"report"))
    assert open_token_key(section, "rsa4096").key == secret.key
    other = open_token_key(token.section(uptane_key_id="0b"), kind)
    assert other.key != secret.key


def test_reports_are_signed_by_it(token, storage):
    config = ClientConfig(
        p11=token.section(uptane_key_id="03"),
        uptane=UptaneSection(key_source=KeySource.PKCS11, key_type=KeyType.RSA2048),
    )
    identity = settle_identity(config, storage)
    # Nothing of the key is in the database.
    assert storage.fact(KEY_FACT) is None
    assert settle_identity(config, storage).serial == identity.serial == identity.key_id
    report = EcuReport(identity.serial, "a", 1, {"sha256": "0" * 64})
    value = sign_report(report, Times(NOW, NOW), identity.key_id, identity.secret)
    envelope = read_envelope(value, Dialect.UPTANE, "it")
    one = envelope.signatures[0]
    key = identity.secret.key
    assert is_signed_by(key, envelope.signed_bytes(), one.signature, one.method)


def test_certificates(token):
    issued = FleetCa().issue("device-1")
    token.store(issued, cert_id="01", key_id="02")
    assert read_token_certificate(token.section(), "01") == issued.cert_pem
    with pytest.raises(ConfigError, match="no certificate 05"):
        read_token_certificate(token.section(), "05")


def test_tokens_that_cannot_be_used(token):
    section = token.section(uptane_key_id="03")
    for wrong, words in (
        (section._replace(pass_="0000"), "PinIncorrect"),
        (section._replace(module="/no/such/module.so"), "cannot be used"),
        (section._replace(module=""), "cannot be used"),
        (section._replace(label="another"), "there are: none"),
        (section._replace(uptane_key_id="3"), "no id of an object"),
        (section._replace(uptane_key_id=""), "no id of an object"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            open_token_key(wrong, "rsa2048")
        assert caught.value.hint


def test_two_tokens_are_told_apart_by_their_labels(token):
    token.add("second")
    section = token.section(uptane_key_id="03")
    with pytest.raises(ConfigError, match="one token is wanted"):
        open_token_key(section._replace(label=""), "ed25519")
    first = open_token_key(section, "ed25519")
    second = open_token_key(section._replace(label="second"), "ed25519")
    assert first.key != second.key


def test_addresses():
    section = P11Section("m.so", "12 34", label="a;b")
    assert token_uri(section, "0aFF", "cert", "/tls/pin") == (
        "pkcs11:token=a%3Bb;id=%0a%ff;type=cert?pin-source=/tls/pin"
    )
    assert token_uri(P11Section(), "01", "private", "") == "pkcs11:id=%01;type=private"


def test_the_only_token_is_named(token):
    section = token.section()._replace(label="")
    assert token_uri(section, "01", "cert", "") == "pkcs11:token=first;id=%01;type=cert"
    token.add("second")
    assert token_uri(section, "01", "cert", "") == "pkcs11:id=%01;type=cert"


def test_without_the_extra(token, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(ConfigError, match="need python-pkcs11") as caught:
        open_token_key(token.section(uptane_key_id="03"), "rsa2048")
    assert caught.value.hint == "install ostrya[pkcs11]"


def test_tls_with_keys_of_a_token(token, device, gateway, kept, tmp_path):
    """Debian's python3-pycurl is built on GnuTLS, which takes keys from any module of p11-kit."""
    python = Path("/usr/bin/python3")
    if not python.exists() or subprocess.run(
        [python, "-c", "import pycurl; assert 'GnuTLS' in pycurl.version"], check=False,
        capture_output=True,
    ).returncode:  # fmt: skip
        pytest.skip("needs Debian's python3-pycurl")
    token.store(gateway.ca.issue("device-9"), cert_id="01", key_id="02")
    config = device.device_config()._replace(
        p11=token.section(tls_clientcert_id="01", tls_pkey_id="02")
    )
    config = config._replace(
        tls=config.tls._replace(cert_source=KeySource.PKCS11, pkey_source=KeySource.PKCS11)
    )
    from ostrya.uptane.client.credentials import obtain_credentials
    from ostrya.uptane.client.importing import import_files

    import_files(config, kept)
    found = obtain_credentials(config, kept)
    assert found.device_id == "device-9"
    assert token.pin not in "".join(found.tls)
    gateway.files["/a"] = b"hello"
    done = subprocess.run(
        [
            python, "-c", _ASK, str(Path(__file__).resolve().parents[4] / "src"), gateway.url + "/a",
            *found.tls,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "200 b'hello'", done.stderr
    assert gateway.asked[0].client == "device-9"


_ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from ostrya.fetch.exchange import Exchange, Message
from ostrya.fetch.exchange_options import ExchangeOptions, host_with_port
url, ca, cert, key = sys.argv[2:6]
options = ExchangeOptions(ca, cert, key, frozenset({host_with_port(url)}))
reply = Exchange(options).send(Message("GET", url))
print(reply.status, reply.body)
"""
