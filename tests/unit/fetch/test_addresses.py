# SPDX-License-Identifier: Apache-2.0
"""URLs taken apart and shown."""

from __future__ import annotations

import pytest

from ostrya.fetch.addresses import Address, hide_password, parse_address
from ostrya.fetch.errors import AddressError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h/x", Address("http", "h", "http://h/x")),
        ("HTTPS://H:8443", Address("https", "h:8443", "https://H:8443")),
        ("http://u:p@h/x", Address("http", "h", "http://h/x", "u", "p")),
        ("http://u@h/x@y", Address("http", "h", "http://h/x@y", "u")),
        ("http://a%40b:c%3Ad@h/", Address("http", "h", "http://h/", "a@b", "c:d")),
        ("http://u:p@q@h/", Address("http", "h", "http://h/", "u", "p@q")),
        ("http://h/a b?é#part", Address("http", "h", "http://h/a%20b?%C3%A9")),
        ("http://[::1]:80/x", Address("http", "[::1]:80", "http://[::1]:80/x")),
        ("file:///srv/repo", Address("file", "", "file:///srv/repo")),
    ],
)
def test_addresses(url, address):
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url", ["", "x", "/x", "http:/x", "://x", "1http://x", "http://h/\n", "http://h/\0"]
)
def test_no_addresses(url):
    with pytest.raises(AddressError, match="Invalid URI"):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@h/x", "http://h/x"),
        ("http://u:p@q@h", "http://h"),
        ("http://h/x@y", "http://h/x@y"),
        ("http://h?u@x", "http://h?u@x"),
        ("no address", "no address"),
    ],
)
def test_passwords_are_hidden(url, shown):
    assert hide_password(url) == shown


def test_a_bad_address_is_shown_without_password():
    with pytest.raises(AddressError) as caught:
        parse_address("http://u:secret@h/\n")
    assert "secret" not in caught.value.message
