# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.fleet.db import log
from ostrya.fleet.domain import device_data
from ostrya.fleet.errors import BadRequest


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PUT", "/system_info", b'{"id": "x", "clock": 1.5}', "hardware"),
        ("PUT", "/system_info", b'[{"id": "x"}]', "hardware"),
        ("PUT", "/core/installed/", b'[{"name": "a", "version": "1"}]', "packages"),
        ("PUT", "/system_info/network/", b'{"hostname": "\\u0000"}', "network"),
        ("POST", "/system_info/config", b'[tls]\nserver = "x"\n', "config"),
    ],
)
def test_what_a_device_says_is_kept(device, look, method, path, body, kind):
    assert device.link.ask(method, path, body).status == 200
    found = look(log.device_data, device.name)[kind][1]
    if kind == "config":
        assert found.encode() == body
    else:
        assert json.loads(found) == json.loads(body)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("hardware", b"1"),
        ("hardware", b"\xff"),
        ("packages", b"{}"),
        ("network", b"["),
        ("network", b"[" * 100_000),
        ("config", b"= 1"),
        ("config", b"a = 'x\0'"),
    ],
)
def test_what_cannot_be_understood(kind, data):
    with pytest.raises(BadRequest) as caught:
        device_data.check(kind, data)
    assert caught.value.code == "invalid_device_data"
