# SPDX-License-Identifier: Apache-2.0
"""Garbage at every door of the server: a client is told that it is wrong, and the server is not."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.api.openapi import document
from ostrya.fleet.api.tools import OwnersDoor, Tools
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.server import DoorServer, Listener
from ostrya.fleet.settings import Settings
from support.fleet_server import DirectLink, direct_device, make, publish_file

ADDRESSES = [
    ("POST", "/devices"),
    ("POST", "/director/ecus"),
    ("PUT", "/director/manifest"),
    ("PUT", "/core/installed"),
    ("PUT", "/system_info"),
    ("PUT", "/system_info/network"),
    ("POST", "/system_info/config"),
    ("POST", "/events"),
    ("GET", "/campaigner/campaigns"),
]
GARBAGE = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@contextlib.contextmanager
def serving(app):
    """Serve an application on a port of this machine."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        server = DoorServer(Listener("garbage", bound, app, None), Settings("x"), 100)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("garbage")
    make(folder / "fleet")
    with open_services(str(folder / "fleet")) as found:
        publish_file(found, folder)
        yield found


@pytest.fixture(scope="module")
def device(services):
    return direct_device(services, Gateway(services))


@pytest.fixture(scope="module")
def address(services):
    with serving(OwnersDoor(Tools(services))) as url:
        yield url


schema = schemathesis.openapi.from_dict(document())


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_every_request_that_is_described(case, address):
    response = case.call(base_url=address, timeout=30)
    case.validate_response(
        response,
        checks=[
            checks.not_a_server_error,
            checks.CHECKS.get_one("status_code_conformance"),
            checks.CHECKS.get_one("content_type_conformance"),
            checks.CHECKS.get_one("response_schema_conformance"),
        ],
    )


def refused_or_done(reply) -> None:
    assert reply.status < 500, reply.body
    if reply.status >= 400:
        assert set(reply.json()) == {"code", "description", "errorId"}


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@GARBAGE
@given(data=st.binary(max_size=300))
def test_bytes_of_a_device(device, method, path, data):
    refused_or_done(device.link.ask(method, path, data))


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@GARBAGE
@given(value=JSON)
def test_json_of_a_device(device, method, path, value):
    refused_or_done(device.link.ask(method, path, json.dumps(value).encode()))


@GARBAGE
@given(data=st.data())
def test_manifests_that_are_almost_right(device, data):
    value = json.loads(device.manifest({"custom": {"a": 1}, "installation_report": {"report": {}}}))
    places = [(value, "signed"), (value, "signatures")]
    signed = value["signed"]
    places += [(signed, key) for key in signed]
    report = signed["ecu_version_manifests"][device.primary.serial]
    places += [(report, key) for key in report]
    places += [(report["signed"], key) for key in report["signed"]]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(JSON)
    refused_or_done(device.link.ask("PUT", "/director/manifest", json.dumps(value).encode()))


@GARBAGE
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "X"]),
    place=st.sampled_from(
        ["/", "/director/", "/repo/", "/repo/targets/", "/treehub/", "/repo/delegations/"]
    ),
    rest=st.text(max_size=60),
)
def test_paths(device, services, method, place, rest):
    from urllib.parse import quote

    reply = device.link.ask(method, place + quote(rest, safe="/.%"), b"{}")
    assert reply.status < 500, reply.body
    assert b"vehicleId" not in reply.body or b'"vehicleId":"dev-1"' in reply.body


@GARBAGE
@given(
    headers=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=1, max_size=12),
        st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=40),
        max_size=5,
    )
)
def test_headers_open_nothing(services, headers):
    reply = DirectLink(Tools(services)).ask("GET", "/api/v1/devices", headers=headers)
    assert reply.status == 401
    reply = DirectLink(Gateway(services)).ask("GET", "/director/targets.json", headers=headers)
    assert reply.status == 401
