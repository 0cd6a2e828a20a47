# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.api.routes import PREFIX, Call, Spec, application, read_object
from ostrya.fleet.api.tools import Tools
from ostrya.fleet.auth import OWNER, Caller
from ostrya.fleet.errors import BadRequest
from support.fleet_server import DirectLink


def test_nobody_comes_without_saying_who(services):
    link = DirectLink(Tools(services))
    for method, path in (("GET", "/status"), ("POST", "/devices"), ("GET", "/events")):
        reply = link.ask(method, f"{PREFIX}{path}", b"{}")
        assert (reply.status, reply.json()["code"]) == (401, "unauthorized")
        assert "Bearer" in reply.headers["www-authenticate"]


def test_a_tool_that_may_push_may_nothing_else(services, ask):
    secret = ask("POST", "/tokens", {"name": "ci"}, status=201)["secret"]
    link = DirectLink(Tools(services))
    headers = {"authorization": f"Bearer {secret}"}
    reply = link.ask("GET", f"{PREFIX}/status", headers=headers)
    assert (reply.status, reply.json()["code"]) == (403, "not_allowed")
    assert link.ask("GET", "/treehub/config", headers=headers).status == 200


def test_a_device_may_nothing(services, device):
    link = DirectLink(Tools(services), device.link.peer)
    for path in (f"{PREFIX}/status", f"{PREFIX}/user_repo/root.json", "/treehub/config"):
        reply = link.ask("GET", path)
        assert (reply.status, reply.json()["code"]) == (403, "certificate_not_for_tools")


def test_what_is_not_understood_is_refused(owner):
    for path, status in (
        ("/status?x=1", 400),
        ("/devices?limit=1&limit=2", 400),
        ("/devices?limit=5000", 400),
        ("/devices?limit=x", 400),
        ("/nothing", 404),
        ("/devices/", 404),
    ):
        reply = owner.ask("GET", f"{PREFIX}{path}")
        assert reply.status == status, path
        assert reply.headers["content-type"] == "application/problem+json"
    assert owner.ask("PATCH", f"{PREFIX}/status").status == 405
    assert owner.ask("HEAD", f"{PREFIX}/status").body == b""


def test_a_mistake_of_ours_is_told_as_one(services, caplog):
    def fail(_call):
        raise KeyError("x")

    app = application(services, [Spec("GET", "/x", "x", "x", fail)])

    async def as_owner(scope, receive, send):
        scope["ostrya.caller"] = OWNER
        await app(scope, receive, send)

    reply = DirectLink(as_owner).ask("GET", f"{PREFIX}/x")
    assert (reply.status, reply.json()["code"]) == (503, "internal_error")
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("data", [b"[]", b"1", b"{", b"\xff", b'{"a": 1, "a": 2}', b'{"a": 1.5}'])
def test_what_is_no_object(data):
    with pytest.raises(BadRequest):
        read_object(data, 100)


def test_an_empty_request_is_an_empty_object(services):
    assert read_object(b"", 100) == {}
    call = Call(services, Caller("x", "push"), {}, {}, None)
    assert call.fields().rest() == {}
    assert call.limit == 100
    assert call._replace(query={"limit": "0"}).limit == 1
