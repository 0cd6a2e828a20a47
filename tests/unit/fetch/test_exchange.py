# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from itertools import islice

import pytest

from ostrya.fetch import exchange as module
from ostrya.fetch.errors import (
    AddressError,
    BadAnswer,
    BodyTooLarge,
    CertificateNotTaken,
    ConnectionLost,
    FetchOptionError,
    NetworkError,
    PlainTextRefused,
    RedirectError,
    StalledError,
    TlsError,
)
from ostrya.fetch.exchange import Exchange, Message
from ostrya.fetch.exchange_options import ExchangeOptions, host_with_port
from support.fleet_ca import FleetCa
from support.gateway import Gateway
from support.hostile import Answer, Drop, Raw, always, at_first, endless

BODY = bytes(range(256)) * 2000


@pytest.fixture
def gateway(tmp_path):
    with Gateway(tmp_path / "gateway") as gateway:
        gateway.files["/a"] = BODY
        yield gateway


@pytest.fixture
def options(gateway, tmp_path):
    cert, key = gateway.ca.issue("device-1").write(tmp_path, "device")
    return ExchangeOptions(
        gateway.ca_path, cert, key, frozenset({host_with_port(gateway.url)}),
        request_timeout_s=20, pause_s=0,
    )  # fmt: skip


@pytest.fixture
def link(options):
    exchange = Exchange(options)
    yield exchange
    exchange.close()


def get(gateway, path="/a", max_bytes=1 << 20) -> Message:
    return Message("GET", gateway.url + path, max_bytes=max_bytes)


def test_requests_share_a_connection_and_say_who_we_are(gateway, link):
    assert link.send(get(gateway)).body == BODY
    reply = link.send(Message("PUT", gateway.url + "/director/manifest", b"{}"))
    assert reply.status == 200
    assert gateway.connections == 1
    first, second = gateway.asked
    assert (first.client, second.client) == ("device-1", "device-1")
    assert second.body == b"{}"
    assert second.headers["content-type"] == "application/json"
    assert second.headers["user-agent"].startswith("ostrya/")


def test_threads_have_connections_of_their_own(gateway, link):
    link.send(get(gateway))
    thread = threading.Thread(target=lambda: link.send(get(gateway)))
    thread.start()
    thread.join()
    assert gateway.connections == 2


def test_a_refusal_is_an_answer(gateway, link):
    gateway.rule(always(Answer(404, b"z" * 100_000)))
    reply = link.send(get(gateway))
    assert reply.status == 404
    assert len(reply.body) == module.REFUSAL_BYTES


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_whoever_sends_us_elsewhere_gets_the_same_there(gateway, link, status):
    gateway.rule(always(Answer(status, headers={"Location": "/events/"}), "/events"))
    gateway.rule(always(Answer(204), "/events/"))
    reply = link.send(Message("POST", gateway.url + "/events", b"[1]"))
    assert reply.status == 204
    assert [(one.method, one.path, one.body) for one in gateway.asked] == [
        ("POST", "/events", b"[1]"), ("POST", "/events/", b"[1]"),
    ]  # fmt: skip


def test_see_other(gateway, link):
    gateway.rule(always(Answer(303, headers={"Location": "/a"}), "/events"))
    assert link.send(Message("POST", gateway.url + "/events", b"1", max_bytes=1 << 20)).body == BODY
    assert (gateway.asked[1].method, gateway.asked[1].body) == ("GET", b"")


def test_no_further_than_so_many_redirects(gateway, link):
    gateway.rule(always(Answer(302, headers={"Location": "/a"})))
    with pytest.raises(RedirectError):
        link.send(get(gateway))
    assert len(gateway.asked) == link.options.max_redirects + 1
    gateway.forget()
    gateway.rule(always(Answer(302, headers={"Location": "/a"})))
    with pytest.raises(RedirectError), link.download(gateway.url + "/a", 0, 1 << 20):
        pass


def test_redirects_never_leave_tls(gateway, link, tmp_path):
    with Gateway(tmp_path / "plain", tls=False) as plain:
        gateway.rule(always(Answer(302, headers={"Location": plain.url + "/a"})))
        with pytest.raises(PlainTextRefused):
            link.send(get(gateway))
        # Not even in a test that speaks to this machine without.
        lax = Exchange(link.options._replace(plain_on_loopback=True))
        with pytest.raises(RedirectError, match="out of TLS"):
            lax.send(get(gateway))
        lax.close()
        assert plain.asked == []


def test_another_host_is_not_shown_our_certificate(gateway, link, tmp_path):
    with Gateway(tmp_path / "store", gateway.ca) as store:
        store.client_required = False
        store.files["/blob"] = b"blob"
        page = b"<html>" + b"x" * 9000
        gateway.rule(always(Answer(302, page, {"Location": store.url + "/blob"}), "/a"))
        assert link.send(get(gateway)).body == b"blob"
        with link.download(gateway.url + "/a", 0, 100) as found:
            assert b"".join(found.chunks) == b"blob"
        assert [one.client for one in store.asked] == ["", ""]
        assert {one.client for one in gateway.asked} == {"device-1"}


def test_another_host_is_not_sent_a_body(gateway, link, tmp_path):
    with Gateway(tmp_path / "store", gateway.ca) as store:
        store.client_required = False
        gateway.rule(always(Answer(307, headers={"Location": store.url + "/x"})))
        with pytest.raises(RedirectError, match="another host"):
            link.send(Message("PUT", gateway.url + "/director/manifest", b"{}"))
        assert store.asked == []


def test_other_hosts_may_have_other_authorities(gateway, options, tmp_path):
    with Gateway(tmp_path / "store", FleetCa("public")) as store:
        store.client_required = False
        store.files["/blob"] = b"blob"
        gateway.rule(always(Answer(302, headers={"Location": store.url + "/blob"}), "/a"))
        with pytest.raises(TlsError):
            Exchange(options).send(get(gateway))
        lax = Exchange(options._replace(other_ca_path=store.ca_path))
        assert lax.send(get(gateway)).body == b"blob"
        # But not for the fleet's own.
        gateway.serve_as(store.ca.issue("gateway"))
        with pytest.raises(TlsError):
            Exchange(lax.options).send(get(gateway))


def test_a_stranger_is_not_spoken_to(gateway, link):
    gateway.serve_as(FleetCa("stranger").issue("gateway"))
    with pytest.raises(TlsError):
        link.send(Message("PUT", gateway.url + "/director/manifest", b"{}"))
    assert gateway.asked == []


def test_nothing_is_said_in_the_clear(options, tmp_path):
    with Gateway(tmp_path / "plain", tls=False) as plain:
        with pytest.raises(PlainTextRefused):
            Exchange(options).send(get(plain))
        with pytest.raises(PlainTextRefused), Exchange(options).download(plain.url, 0, 5):
            pass
        assert plain.connections == 0
        plain.files["/a"] = b"x"
        lax = Exchange(options._replace(plain_on_loopback=True))
        assert lax.send(get(plain)).body == b"x"


@pytest.mark.parametrize("revoked", [True, False])
def test_a_certificate_that_is_not_taken(gateway, options, revoked):
    if revoked:
        gateway.ca.revoke(gateway.ca.issue("other"))
        device = gateway.ca.issue("device-2")
        cert, key = device.write(gateway.folder, "device-2")
        gateway.ca.revoke(device)
        options = options._replace(cert_path=cert, key_path=key)
    else:
        options = options._replace(cert_path="", key_path="")
    for ask in (
        lambda: Exchange(options).send(get(gateway)),
        lambda: Exchange(options).download(gateway.url, 0, 9).__enter__(),
    ):
        with pytest.raises(CertificateNotTaken):
            ask()
    assert gateway.asked == []


@pytest.mark.parametrize("revoked", [True, False])
def test_a_reset_is_explained(gateway, options, monkeypatch, revoked):
    """The alert that says so is lost when a server resets the connection at once."""
    device = gateway.ca.issue("device-2")
    cert, key = device.write(gateway.folder, "device-2")
    if revoked:
        gateway.ca.revoke(device)

    def lose(*_):
        raise ConnectionLost(gateway.url, "[55] Connection reset by peer")

    monkeypatch.setattr(module, "perform", lose)
    exchange = Exchange(options._replace(cert_path=cert, key_path=key))
    with pytest.raises(CertificateNotTaken if revoked else ConnectionLost):
        exchange.send(get(gateway))
    assert gateway.asked == []


def test_old_tls_is_not_spoken(gateway, link):
    gateway.only_old_tls()
    with pytest.raises((TlsError, NetworkError)):
        link.send(get(gateway))
    assert gateway.asked == []


def test_sent_again_where_that_helps(gateway, link):
    gateway.rule(at_first(1, Drop(), "/a"))
    gateway.rule(lambda asked: Answer(503) if asked.visit == 2 else None)
    assert link.send(get(gateway)).body == BODY
    assert len(gateway.asked) == 3
    gateway.forget()
    gateway.rule(always(Answer(500)))
    assert link.send(get(gateway)).status == 500
    assert len(gateway.asked) == 3
    gateway.forget()
    gateway.rule(always(Drop()))
    with pytest.raises(NetworkError):
        link.send(get(gateway))
    gateway.forget()
    gateway.rule(always(Answer(423)))
    assert link.send(get(gateway)).status == 423
    assert len(gateway.asked) == 1
    gateway.rule(always(Answer(500)))
    assert link.send(get(gateway), retries=0).status == 500
    assert len(gateway.asked) == 2


def test_nobody_there(gateway, link):
    gateway.__exit__()
    with pytest.raises(NetworkError):
        link.send(get(gateway))


def dribble():
    while True:
        time.sleep(0.05)
        yield b"x"


def test_a_small_request_has_a_deadline_however_alive_the_server_is(gateway, options):
    options = options._replace(request_timeout_s=0.5, retries=0)
    for answer in (Answer(200, b"", length=3, then_hang=True), Answer(200, dribble(), length=None)):
        gateway.rule(always(answer))
        with pytest.raises(StalledError):
            Exchange(options).send(get(gateway))


def test_a_download_that_dribbles_is_given_up(gateway, options):
    options = options._replace(low_speed_limit_bytes=10_000, low_speed_time_s=1)
    gateway.rule(always(Answer(200, dribble(), length=None)))
    link = Exchange(options)
    with link.download(gateway.url + "/a", 0, 1 << 20) as found, pytest.raises(StalledError):
        list(found.chunks)


def test_bodies_end_where_they_have_to(gateway, link):
    with pytest.raises(BodyTooLarge):
        link.send(get(gateway, max_bytes=len(BODY) - 1))
    gateway.rule(always(Answer(200, endless(), length=None)))
    with pytest.raises(BodyTooLarge):
        link.send(get(gateway, max_bytes=1000))
    with link.download(gateway.url + "/a", 0, 500_000) as found, pytest.raises(BodyTooLarge):
        for _ in found.chunks:
            pass
    gateway.rule(always(Answer(500, endless(), length=None)))
    assert link.send(get(gateway), retries=0).status == 500
    gateway.rule(always(Answer(302, endless(), {"Location": "/b"}, length=None), "/a"))
    assert link.send(get(gateway)).status == 302
    with link.download(gateway.url + "/a", 0, 500_000) as found:
        assert found.status == 302
    assert "/b" not in gateway.paths()


def test_headers_end_too(gateway, link):
    gateway.rule(always(Raw(b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 5000 + b"\r\n")))
    with pytest.raises(BadAnswer):
        link.send(get(gateway))


def test_no_http(gateway, link):
    gateway.rule(always(Raw(b"\x00\x01 garbage" * 10)))
    with pytest.raises((BadAnswer, NetworkError)):
        link.send(get(gateway))
    gateway.rule(always(Answer(304, headers={"Location": "/b"})))
    assert link.send(get(gateway)).status == 304
    gateway.rule(always(Answer(305, headers={"Location": "/b"})))
    assert link.send(get(gateway)).status == 305


def test_a_download_goes_on_where_it_was(gateway, link):
    with link.download(gateway.url + "/a", 1000, len(BODY)) as found:
        assert (found.status, found.offset, found.total) == (206, 1000, len(BODY))
        assert b"".join(found.chunks) == BODY[1000:]
    gateway.rule(always(Answer(200, BODY)))
    with link.download(gateway.url + "/a", 1000, len(BODY)) as found:
        assert (found.status, found.offset, found.total) == (200, 0, len(BODY))
        assert b"".join(found.chunks) == BODY


def test_a_download_that_breaks(gateway, link):
    gateway.rule(always(Answer(200, BODY, cut_after=200_000)))
    with link.download(gateway.url + "/a", 0, len(BODY)) as found, pytest.raises(NetworkError):
        list(found.chunks)
    # Nothing came yet, so it is asked again.
    gateway.forget()
    gateway.rule(at_first(2, Drop()))
    with link.download(gateway.url + "/a", 0, len(BODY)) as found:
        assert b"".join(found.chunks) == BODY
    gateway.forget()
    gateway.rule(always(Drop()))
    with pytest.raises(NetworkError), link.download(gateway.url + "/a", 0, len(BODY)):
        pass
    assert len(gateway.asked) == 3


def test_a_download_that_nobody_wants_any_more(gateway, link):
    gateway.rule(always(Answer(200, endless(), length=None)))
    with link.download(gateway.url + "/a", 0, 1 << 30) as found:
        assert len(list(islice(found.chunks, 3))) == 3
    gateway.forget()
    assert link.send(get(gateway)).body == BODY


def test_a_download_that_is_none(gateway, link):
    with link.download(gateway.url + "/none", 0, 100) as found:
        assert found.status == 404
    gateway.rule(at_first(2, Answer(503), "/a"))
    with link.download(gateway.url + "/a", 0, 1 << 20) as found:
        assert found.status == 200


@pytest.mark.parametrize(
    "part", ["bytes 0-9/10", "bytes 9-8/10", "nonsense", ""],
)  # fmt: skip
def test_another_part_than_was_asked_for(gateway, link, part):
    gateway.rule(always(Answer(206, b"x" * 10, {"Content-Range": part})))
    with (
        pytest.raises(BadAnswer, match="another part"),
        link.download(gateway.url + "/a", 5, 100),
    ):
        pass


def test_a_download_that_says_it_is_too_long(gateway, link):
    with pytest.raises(BodyTooLarge), link.download(gateway.url + "/a", 0, len(BODY) - 1):
        pass


def test_addresses_and_files_that_cannot_be_used(gateway, options):
    for url in ("https:///a", "nonsense"):
        with pytest.raises(AddressError):
            module.check_url(url, options)
    module.check_url(gateway.url, options)
    with pytest.raises((FetchOptionError, TlsError)):
        Exchange(options._replace(ca_path="/no/such/file")).send(get(gateway))
    with pytest.raises((FetchOptionError, TlsError)):
        Exchange(options._replace(cert_path="/no/such/file")).send(get(gateway))


def test_through_a_proxy(gateway, options, tmp_path):
    with Gateway(tmp_path / "proxy", tls=False) as proxy:
        proxy.rule(always(Answer(403)))
        through = options._replace(proxy=proxy.url, retries=0)
        with pytest.raises(NetworkError):
            Exchange(through).send(get(gateway))
        assert [one.method for one in proxy.asked] == ["CONNECT"]
        past = through._replace(no_proxy="localhost")
        assert Exchange(past).send(get(gateway)).body == BODY
