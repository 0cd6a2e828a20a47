# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fetch import client_certificate
from ostrya.fetch.curl import pycurl
from support.gateway import Gateway
from support.ports import free_port


@pytest.fixture
def gateway(tmp_path):
    with Gateway(tmp_path / "gateway") as gateway:
        yield gateway


def refusal(gateway, cert, key="", url=""):
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url or gateway.url)
    curl.setopt(pycurl.CAINFO, gateway.ca_path)
    if cert:
        client_certificate.set_certificate(curl, cert, key)
    return client_certificate.refusal(curl, gateway.url, cert)


def test_a_good_one(gateway, tmp_path):
    assert refusal(gateway, *gateway.ca.issue("device").write(tmp_path, "device")) is None
    assert gateway.asked == []


def test_a_revoked_one(gateway, tmp_path):
    device = gateway.ca.issue("device")
    gateway.ca.revoke(device)
    assert refusal(gateway, *device.write(tmp_path, "device")).url == gateway.url


def test_none(gateway):
    assert refusal(gateway, "") is not None
    gateway.client_required = False
    assert refusal(gateway, "") is None


def test_what_else_breaks_is_no_refusal(gateway, tmp_path):
    device = gateway.ca.issue("device").write(tmp_path, "device")
    gateway.only_old_tls()
    assert refusal(gateway, *device) is None
    assert refusal(gateway, "") is None
    assert refusal(gateway, *device, url=f"https://localhost:{free_port()}") is None
