# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.fetch.errors import BadAnswer, FetchOptionError
from ostrya.uptane.client import link as module
from ostrya.uptane.client.addresses import addresses
from ostrya.uptane.client.config import (
    ClientConfig,
    NetworkSection,
    TlsSection,
)
from ostrya.uptane.client.link import Link
from ostrya.uptane.client.server import Campaign, DeviceDataKind, EventsOutcome
from ostrya.uptane.client.tls_files import TlsFiles
from ostrya.uptane.errors import (
    AnswerTooLarge,
    AnswerUnusable,
    CertificateRefused,
    ConfigError,
    IdentityError,
    ServerRefused,
    ServerTooSlow,
    ServerUnreachable,
    ServerUntrusted,
)
from ostrya.uptane.steps import Repository, Wanted
from support.fleet_ca import FleetCa
from support.gateway import Gateway, refusal
from support.hostile import Answer, Drop, always, at_first

CONFIG = ClientConfig(network=NetworkSection(request_timeout_sec=20, retries=0))
BODY = bytes(range(256)) * 1000


@pytest.fixture
def tls(gateway, tmp_path):
    cert, key = gateway.ca.issue("device-1").write(tmp_path, "device")
    return TlsFiles(gateway.ca_path, cert, key)


@pytest.fixture
def link(gateway, tls):
    link = Link(CONFIG, tls, addresses(CONFIG, gateway.url))
    yield link
    link.close()


def test_metadata(gateway, link):
    gateway.files["/director/2.root.json"] = b"root"
    gateway.files["/repo/delegations/a.json"] = b"delegated"
    wanted = Wanted(Repository.DIRECTOR, "2.root.json", 100)
    assert link.fetch_metadata(wanted) == b"root"
    assert link.fetch_metadata(wanted._replace(file="3.root.json")) is None
    delegated = Wanted(Repository.IMAGE, "delegations/a.json", 100)
    assert link.fetch_metadata(delegated) == b"delegated"
    with pytest.raises(AnswerTooLarge) as caught:
        link.fetch_metadata(wanted._replace(max_bytes=3))
    assert caught.value.attack == "endless data"
    assert {one.client for one in gateway.asked} == {"device-1"}


@pytest.mark.parametrize("status", [400, 403, 410, 423, 424, 429, 500, 503])
def test_only_a_404_is_absence(gateway, link, status):
    gateway.rule(always(refusal(status, "no_luck", "today")))
    with pytest.raises(ServerRefused) as caught:
        link.fetch_metadata(Wanted(Repository.DIRECTOR, "2.root.json", 100, may_be_absent=True))
    assert (caught.value.status, caught.value.code) == (status, "no_luck")
    assert bool(caught.value.hint) == (status in {423, 424, 500, 503})


def test_manifest_and_registration(gateway, link):
    link.put_manifest(b'{"a": 1}')
    link.register_ecus(b'{"primary_ecu_serial": "p", "ecus": []}')
    assert gateway.fleet.manifests == [{"a": 1}]
    assert "device-1" in gateway.fleet.ecus


def test_old_gateways_redirect_what_has_no_slash(gateway, link):
    gateway.rule(always(Answer(301, headers={"Location": "/events/"}), "/events"))
    gateway.rule(always(Answer(200), "/events/"))
    assert link.send_events([{"id": "1"}]) is EventsOutcome.TAKEN
    assert [one.body for one in gateway.asked] == [b'[{"id":"1"}]'] * 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, EventsOutcome.TAKEN), (404, EventsOutcome.NOT_THERE), (413, EventsOutcome.TOO_LARGE)],
)
def test_events(gateway, link, status, outcome):
    gateway.rule(always(Answer(status)))
    assert link.send_events([{"id": "1"}]) is outcome


def test_events_that_are_refused(gateway, link):
    gateway.rule(always(Answer(500)))
    with pytest.raises(ServerRefused):
        link.send_events([{"id": "1"}])


def test_device_data(gateway, link):
    for kind in DeviceDataKind:
        link.send_device_data(kind, b"{}")
    assert [(one.method, one.path, one.headers["content-type"]) for one in gateway.asked] == [
        ("PUT", "/system_info", "application/json"),
        ("PUT", "/core/installed", "application/json"),
        ("PUT", "/system_info/network", "application/json"),
        ("POST", "/system_info/config", "application/toml"),
    ]


def test_campaigns(gateway, link):
    gateway.fleet.campaigns = [{"id": "c", "name": "x"}]
    assert link.campaigns() == (Campaign("c", "x"),)
    gateway.rule(always(Answer(200, b"none")))
    with pytest.raises(AnswerUnusable):
        link.campaigns()


def test_an_image_goes_on_where_it_was(gateway, link):
    gateway.files["/repo/targets/a b"] = BODY
    gateway.rule(lambda asked: gateway.honest(asked) if "%20" in asked.path else None)
    with link.open_image("a b", "", 100, len(BODY)) as found:
        assert (found.offset, found.total) == (100, len(BODY))
        assert b"".join(found.chunks) == BODY[100:]
    assert gateway.paths() == ["/repo/targets/a%20b"]


@pytest.mark.parametrize("uri", ["", module.NO_ADDRESS])
def test_an_image_without_an_address_is_in_the_repository(gateway, link, uri):
    gateway.files["/repo/targets/a"] = BODY
    with link.open_image("a", uri, 0, len(BODY)) as found:
        assert b"".join(found.chunks) == BODY


def test_an_image_of_another_host(gateway, link, tls, tmp_path):
    with Gateway(tmp_path / "store", FleetCa("public")) as store:
        store.client_required = False
        store.files["/blob"] = BODY
        with pytest.raises(ServerUntrusted), link.open_image("a", store.url + "/blob", 0, 1 << 20):
            pass
        config = CONFIG._replace(tls=TlsSection(image_ca_path=store.ca_path))
        lax = Link(config, tls, addresses(config, gateway.url))
        with lax.open_image("a", store.url + "/blob", 0, 1 << 20) as found:
            assert b"".join(found.chunks) == BODY
        lax.close()
        assert [one.client for one in store.asked] == [""]
        hub = lax.treehub(store.url + "/hub/")
        assert hub == (store.url + "/hub", store.ca_path, "", "", "")


def test_images_that_cannot_be_had(gateway, link):
    with pytest.raises(ServerRefused), link.open_image("none", "", 0, 100):
        pass
    gateway.files["/repo/targets/a"] = BODY
    with pytest.raises(AnswerTooLarge), link.open_image("a", "", 0, 100):
        pass
    gateway.rule(always(Answer(204)))
    with pytest.raises(AnswerUnusable), link.open_image("a", "", 0, 100):
        pass
    gateway.rule(always(Answer(200, BODY, cut_after=1000)))
    with link.open_image("a", "", 0, len(BODY)) as found, pytest.raises(ServerUnreachable):
        list(found.chunks)
    with pytest.raises(ServerUntrusted), link.open_image("a", "http://x/a", 0, 100):
        pass
    with pytest.raises(AnswerUnusable), link.open_image("a", "nonsense", 0, 100):
        pass


def test_treehub(gateway, link, tls):
    assert link.treehub() == (
        f"{gateway.url}/treehub", tls.ca_path, tls.cert_path, tls.key_path, "",
    )  # fmt: skip
    assert link.treehub(module.NO_ADDRESS) == link.treehub()
    assert link.treehub(gateway.url + "/other").cert_path == tls.cert_path
    with pytest.raises(ServerUntrusted):
        link.treehub("http://gate/treehub")


def test_nothing_is_said_in_the_clear(tls):
    with pytest.raises(ServerUntrusted, match="not https") as caught:
        Link(CONFIG, tls, addresses(CONFIG, "http://gate"))
    assert caught.value.hint
    with pytest.raises(ConfigError):
        Link(CONFIG, tls, addresses(CONFIG, "gate"))


def test_troubles_have_names_and_hints(gateway, link, tls):
    wanted = Wanted(Repository.DIRECTOR, "2.root.json", 100)
    gateway.rule(always(Drop()))
    with pytest.raises(ServerUnreachable) as caught:
        link.fetch_metadata(wanted)
    assert caught.value.hint
    gateway.forget()
    hurried = CONFIG._replace(network=NetworkSection(request_timeout_sec=1, retries=0))
    gateway.rule(always(Answer(200, b"", length=5, then_hang=True)))
    with pytest.raises(ServerTooSlow):
        Link(hurried, tls, addresses(hurried, gateway.url)).fetch_metadata(wanted)
    gateway.serve_as(FleetCa("stranger").issue("gateway"))
    with pytest.raises(ServerUntrusted) as untrusted:
        Link(CONFIG, tls, addresses(CONFIG, gateway.url)).fetch_metadata(wanted)
    assert untrusted.value.hint


def test_a_revoked_certificate(gateway, tls, tmp_path):
    device = gateway.ca.issue("device-2")
    cert, key = device.write(tmp_path, "device-2")
    gateway.ca.revoke(device)
    revoked = Link(CONFIG, TlsFiles(tls.ca_path, cert, key), addresses(CONFIG, gateway.url))
    with pytest.raises(CertificateRefused) as caught:
        revoked.put_manifest(b"{}")
    assert "provision the device again" in caught.value.hint
    gateway.rule(always(refusal(403, "certificate_revoked", "")))
    with pytest.raises(CertificateRefused):
        Link(CONFIG, tls, addresses(CONFIG, gateway.url)).put_manifest(b"{}")


def test_retries(gateway, tls):
    config = CONFIG._replace(network=NetworkSection(retries=1))
    gateway.rule(at_first(1, Answer(503)))
    Link(config, tls, addresses(config, gateway.url)).put_manifest(b"{}")
    assert len(gateway.asked) == 2


def test_what_else_goes_wrong():
    assert isinstance(module.told("u", BadAnswer("u", "x")), AnswerUnusable)
    assert isinstance(module.told("u", FetchOptionError("x")), IdentityError)


def test_json_is_short(gateway, link):
    link.send_events([{"id": "é"}])
    assert json.loads(gateway.asked[0].body) == [{"id": "é"}]
