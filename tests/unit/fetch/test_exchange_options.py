# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fetch.errors import AddressError, PlainTextRefused
from ostrya.fetch.exchange_options import (
    ExchangeOptions,
    check_address,
    host_with_port,
    is_loopback,
)

STRICT = ExchangeOptions("ca.pem")
TESTING = STRICT._replace(plain_on_loopback=True)


@pytest.mark.parametrize("options", [STRICT, TESTING])
def test_tls_is_what_is_spoken(options):
    assert check_address("https://gate/a", options).host == "gate"
    with pytest.raises(PlainTextRefused, match="http://gate/a is not https"):
        check_address("http://gate/a", options)
    with pytest.raises(PlainTextRefused):
        check_address("ftp://gate/a", options)


def test_tests_speak_without_to_this_machine():
    assert check_address("http://127.0.0.1:80/a", TESTING).url == "http://127.0.0.1:80/a"
    with pytest.raises(PlainTextRefused):
        check_address("http://127.0.0.1/a", STRICT)


def test_passwords_are_no_part_of_it():
    with pytest.raises(AddressError) as caught:
        check_address("https://me:secret@gate/", STRICT)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("localhost", True), ("localhost:80", True), ("127.1.2.3:8", True), ("[::1]", True),
        ("[::1]:443", True), ("localhost.evil.org", False), ("10.0.0.1", False),
        ("127.0.0.1.evil.org", False), ("", False),
    ],
)  # fmt: skip
def test_this_machine(host, yes):
    assert is_loopback(host) is yes


def test_hosts_have_ports():
    assert host_with_port("https://Gate/a") == host_with_port("https://gate:443/b") == "gate:443"
    assert host_with_port("http://gate") == "gate:80"
    assert host_with_port("https://gate:8443") == "gate:8443"
    assert host_with_port("https://[::1]/") == "[::1]:443"
