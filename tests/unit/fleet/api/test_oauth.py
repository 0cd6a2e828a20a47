# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64

import pytest

from ostrya.fleet.api.owner import make_token
from ostrya.fleet.api.tools import Tools
from support.fleet_server import DirectLink

GRANT = b"grant_type=client_credentials"


@pytest.fixture
def tools(services):
    return DirectLink(Tools(services))


@pytest.fixture
def secret(services):
    return make_token(services.fleet, "c i", "push")


def basic(name, secret):
    return {"authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


def ask(tools, body=GRANT, headers=None):
    return tools.ask("POST", "/oauth2/token", body, headers)


def test_what_garage_push_asks_for(tools, secret):
    found = ask(tools, GRANT + b"&scope=push", basic("c+i", secret))
    assert found.status == 200
    assert found.headers["cache-control"] == "no-store"
    value = found.json()
    assert (value["token_type"], value["scope"]) == ("Bearer", "push")
    headers = {"authorization": f"Bearer {value['access_token']}"}
    assert tools.ask("GET", "/treehub/config", headers=headers).status == 200
    assert tools.ask("GET", "/api/v1/status", headers=headers).status == 403


def test_what_stands_in_the_form(tools, secret):
    body = GRANT + f"&client_id=c%20i&client_secret={secret}".encode()
    assert ask(tools, body).status == 200


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "unsupported_grant_type"),
        (b"grant_type=password", 400, "unsupported_grant_type"),
        (b"grant_type", 400, "invalid_request"),
        (b"\xff=1", 400, "invalid_request"),
        (GRANT + b"&" + GRANT, 400, "invalid_request"),
        (GRANT, 401, "invalid_client"),
        (GRANT + b"&client_id=c%20i&client_secret=x", 401, "invalid_client"),
    ],
)
def test_what_is_refused(tools, secret, body, status, error):
    found = ask(tools, body)
    assert (found.status, found.json()["error"]) == (status, error)


def test_what_cannot_be_read(tools, secret):
    assert ask(tools, GRANT, {"authorization": "Basic !"}).status == 401
    assert tools.ask("GET", "/oauth2/token").status == 405
    assert ask(tools, b"x" * 20_000).status == 413
