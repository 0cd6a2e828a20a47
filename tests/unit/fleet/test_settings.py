# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tomllib

import pytest

from ostrya.fleet.errors import SetupError
from ostrya.fleet.settings import (
    Server,
    Settings,
    parse_listen,
    parse_settings,
    read_settings,
    write_settings,
)


def test_what_is_not_said_is_as_usual():
    found = parse_settings("/srv", {"server": {"hostnames": ["a.example"]}})
    assert found.server == Server(hostnames=("a.example",))
    assert found.gateway_url == "https://a.example:8443"
    assert found.admin_url == "https://a.example:8444"
    assert found.database_url == "sqlite:////srv/fleet.db"


def test_what_init_writes_is_read_again(tmp_path):
    server = Server('a "fleet"', ("::1", "x"), "[::]:1", "", "https://g/", "")
    settings = Settings(str(tmp_path), server)
    (tmp_path / "fleet.toml").write_text(write_settings(settings))
    assert read_settings(str(tmp_path)) == settings
    assert settings.gateway_url == "https://g"
    assert settings.admin_url == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sever]", "section [sever], which is not known"),
        ("server = 1", "section [server], which is not known"),
        ("[server]\nlsten = 'x'", "has lsten in [server]"),
        ("[server]\nlisten = 1", "which it cannot be"),
        ("[server]\nlisten = 'x'", "no address to listen at"),
        ("[server]\nhostnames = ['a', 1]", "which it cannot be"),
        ("[server]\nmax_connections = true", "which it cannot be"),
        ("[limits]\nmanifest_bytes = 0", "too little"),
        ("[server]\nurl = 'ftp://x'", "url in [server] of /srv/fleet.toml is 'ftp://x'"),
        ("[server]\nadmin_url = 'https://'", "no address of this server"),
        ("[server]\nurl = 'x.example'", "no address of this server"),
        ("[metadata]\ntimestamp_hours = 1", "refresh_hours has to be less"),
    ],
)
def test_slips_of_the_pen(text, words):
    with pytest.raises(SetupError) as caught:
        parse_settings("/srv", tomllib.loads(text))
    assert words in caught.value.message


def test_no_toml(tmp_path):
    (tmp_path / "fleet.toml").write_text("[")
    with pytest.raises(SetupError, match="is no TOML"):
        read_settings(str(tmp_path))


def test_no_server(tmp_path):
    with pytest.raises(SetupError, match="there is no server in") as caught:
        read_settings(str(tmp_path))
    assert "fleet init" in caught.value.hint


@pytest.mark.parametrize("text", ["", ":1", "a", "a:", "a:b", "a:65536", "a:²"])
def test_no_addresses(text):
    with pytest.raises(SetupError):
        parse_listen(text)


def test_addresses():
    assert parse_listen("[::1]:80") == ("::1", 80)
    assert parse_listen("0.0.0.0:0") == ("0.0.0.0", 0)
