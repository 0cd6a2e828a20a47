# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.uptane.client import credentials as module
from ostrya.uptane.client import tls_files
from ostrya.uptane.client.config import ProvisionMode, TlsSection
from ostrya.uptane.client.credentials import (
    consume_shared,
    find_gateway,
    obtain_credentials,
    require_shared,
)
from ostrya.uptane.client.importing import import_files
from ostrya.uptane.credentials_zip import DEVICE_P12, GATEWAY_URL, TREEHUB, read_members
from ostrya.uptane.errors import (
    AnswerTooLarge,
    ConfigError,
    IdentityError,
    NotProvisioned,
    RegisteredTwice,
    ServerRefused,
    ServerUnreachable,
    ServerUntrusted,
)
from support.fleet_ca import FleetCa
from support.gateway import refusal
from support.hostile import Answer, Drop, always, at_first, endless


def test_shared(device, gateway, kept):
    device.write_zip(unknown=b"kept")
    config = device.shared_config()
    found = obtain_credentials(config, kept)
    assert found.gateway == gateway.url
    (name,) = gateway.fleet.devices
    assert found.device_id == name
    (asked,) = gateway.requests("/devices")
    assert asked.client == "provisioning"
    assert asked.json()["ttl"] == "36000"
    with open(found.tls.cert_path, "rb") as stream:
        assert stream.read() == gateway.fleet.devices[name].cert_pem
    assert stat.S_IMODE(os.stat(found.tls.key_path).st_mode) == 0o600
    # The shared certificate is in no file any more.
    assert not os.listdir(device.folder / "sota/shared-tls")
    assert consume_shared(config, kept) == ""
    left = read_members(str(device.zip_path))
    assert set(left) == {GATEWAY_URL, "unknown"}
    # Once is enough.
    assert obtain_credentials(config, kept) == found
    assert consume_shared(config, kept) == ""
    assert len(gateway.asked) == 1
    # The zip may even be gone.
    device.zip_path.unlink()
    assert obtain_credentials(config, kept) == found
    assert consume_shared(config, kept) == ""


def test_shared_and_reused(device, kept):
    device.write_zip()
    config = device.shared_config(mode=ProvisionMode.REUSED)
    obtain_credentials(config, kept)
    consume_shared(config, kept)
    assert DEVICE_P12 in read_members(str(device.zip_path))


def test_nothing_is_consumed_before_there_is_another(device, kept):
    device.write_zip()
    consume_shared(device.shared_config(), kept)
    assert {DEVICE_P12, TREEHUB} <= set(read_members(str(device.zip_path)))


def test_a_zip_that_cannot_be_changed_is_told(device, kept, monkeypatch):
    device.write_zip()
    config = device.shared_config()
    obtain_credentials(config, kept)

    def fail(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(module, "write_members", fail)
    assert "still has the fleet's shared certificate" in consume_shared(config, kept)


def test_a_name_that_is_there(device, gateway, kept):
    device.write_zip()
    gateway.fleet.devices["mine"] = gateway.ca.issue("mine")
    with pytest.raises(RegisteredTwice, match="has a device mine already") as caught:
        obtain_credentials(device.shared_config(device_id="mine"), kept)
    assert caught.value.hint
    assert len(gateway.asked) == 1


def test_a_name_that_was_made_up_and_is_there(device, gateway, kept):
    device.write_zip()
    gateway.rule(at_first(2, refusal(409, "device_already_registered", "")))
    obtain_credentials(device.shared_config(), kept)
    names = [one.json()["deviceId"] for one in gateway.asked]
    assert len(set(names)) == 3
    assert set(gateway.fleet.devices) == {names[2]}


def test_no_end_of_names(device, gateway, kept):
    device.write_zip()
    gateway.rule(always(refusal(409, "device_already_registered", "")))
    with pytest.raises(RegisteredTwice):
        obtain_credentials(device.shared_config(), kept)
    assert len(gateway.asked) == 3


def test_an_answer_that_was_lost(device, gateway, kept):
    """The server has the device; by the claim it knows that the same one asks again."""
    device.write_zip()
    config = device.shared_config(device_id="mine")
    lost = []

    def lose(asked):
        if asked.path == "/devices" and not lost:
            lost.append(gateway.fleet.answer(asked))
            return Drop()
        return None

    gateway.rule(lose)
    with pytest.raises(ServerUnreachable):
        obtain_credentials(config, kept)
    assert lost[0].status == 200
    # It was not sent twice behind our back.
    assert len(gateway.asked) == 1
    found = obtain_credentials(config, kept)
    with open(found.tls.cert_path, "rb") as stream:
        assert stream.read() == gateway.fleet.devices["mine"].cert_pem


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, b"none"), IdentityError),
        (Answer(200, FleetCa().p12(FleetCa().issue("x"), with_ca=False)), IdentityError),
        (Answer(200, endless(), length=None), AnswerTooLarge),
        (Answer(500), ServerRefused),
        (refusal(403, "shared_provisioning_disabled", "no"), ServerRefused),
        (Drop(), ServerUnreachable),
    ],
)
def test_answers_that_do_not_help(device, gateway, kept, answer, error):
    device.write_zip()
    gateway.rule(always(answer))
    with pytest.raises(error):
        obtain_credentials(device.shared_config(), kept)
    assert tls_files.tls_facts(kept) == {}
    assert DEVICE_P12 in read_members(str(device.zip_path))
    gateway.forget()
    obtain_credentials(device.shared_config(), kept)


def test_a_stranger_is_not_asked(device, gateway, kept):
    device.write_zip()
    gateway.serve_as(FleetCa("stranger").issue("gateway"))
    with pytest.raises(ServerUntrusted):
        obtain_credentials(device.shared_config(), kept)
    device.write_zip(**{GATEWAY_URL: b"http://gate"})
    with pytest.raises(ServerUntrusted):
        obtain_credentials(device.shared_config(), kept)
    assert gateway.asked == []


def test_zips_that_do_not_help(device, kept):
    config = device.shared_config()
    with pytest.raises(NotProvisioned, match="there are no credentials"):
        obtain_credentials(config, kept)
    device.zip_path.write_bytes(b"none")
    with pytest.raises(IdentityError, match=r"no credentials\.zip"):
        obtain_credentials(config, kept)
    device.write_zip(**{DEVICE_P12: b"none"})
    with pytest.raises(IdentityError, match="no PKCS#12"):
        obtain_credentials(config, kept)
    device.write_zip()
    members = read_members(str(device.zip_path))
    del members[DEVICE_P12]
    module.write_members(str(device.zip_path), members)
    for doing in (lambda: obtain_credentials(config, kept), lambda: require_shared(config)):
        with pytest.raises(NotProvisioned, match="has no autoprov_credentials"):
            doing()
    with pytest.raises(ConfigError, match="none are named"):
        obtain_credentials(device.shared_config(provision_path="", mode=ProvisionMode.SHARED), kept)


def test_a_time_to_live_is_a_number_of_days(device, gateway, kept):
    device.write_zip()
    with pytest.raises(ConfigError, match="no number of days"):
        obtain_credentials(device.shared_config(expiry_days="soon"), kept)
    obtain_credentials(device.shared_config(expiry_days="30"), kept)
    assert gateway.asked[0].json()["ttl"] == "30"


def test_device_credentials(device, gateway, kept):
    config = device.device_config("by-certificate")
    import_files(config, kept)
    found = obtain_credentials(config, kept)
    assert found.device_id == "by-certificate"
    assert gateway.asked == []
    # The name stays, whatever the next certificate says.
    device.device_config("another")
    import_files(config, kept)
    assert obtain_credentials(config, kept).device_id == "by-certificate"


def test_device_credentials_that_are_missing(device, kept):
    config = device.device_config()
    (device.import_path / "client.pem").unlink()
    import_files(config, kept)
    with pytest.raises(NotProvisioned, match=r"no certificate: .*client\.pem is not there"):
        obtain_credentials(config, kept)


def test_where_the_server_is(device, kept, tmp_path):
    device.write_zip(**{GATEWAY_URL: b"https://by-zip/\n"})
    by_file = tmp_path / "url"
    by_file.write_text("https://by-file\n")
    config = device.shared_config()
    named = config._replace(tls=TlsSection("https://by-key", str(by_file)))
    assert find_gateway(named, kept) == "https://by-key"
    assert (
        find_gateway(config._replace(tls=TlsSection("", str(by_file))), kept) == "https://by-file"
    )
    assert find_gateway(config, kept) == "https://by-zip"
    kept.set_fact(module.GATEWAY, b"https://kept")
    device.zip_path.unlink()
    assert find_gateway(config, kept) == "https://kept"
    kept.forget_fact(module.GATEWAY)
    with pytest.raises(ConfigError, match="nobody says where the server is"):
        find_gateway(config, kept)
    by_file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        find_gateway(config._replace(tls=TlsSection("", str(by_file))), kept)
