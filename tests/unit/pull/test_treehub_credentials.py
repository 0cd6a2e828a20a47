# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import zipfile

import pytest

from ostrya.pull.errors import PushRefused
from ostrya.pull.treehub_credentials import (
    BasicAuth,
    OAuth2,
    parse_credentials,
    read_authority,
    read_credentials,
)

OAUTH2 = {"server": "https://auth.example.com/", "client_id": "me", "client_secret": "pass"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"no_auth": True, "ostree": {"server": "https://x"}}, None),
        ({"basic_auth": {"user": "u", "password": "p"}}, BasicAuth("u", "p")),
        ({"oauth2": OAUTH2}, OAuth2("https://auth.example.com/token", "me", "pass")),
        (
            {"oauth2": {**OAUTH2, "scope": "s"}},
            OAuth2("https://auth.example.com/token", "me", "pass"),
        ),
        (
            {"oauth2": {**OAUTH2, "server": "https://a/oauth2/token", "scope": "s"}},
            OAuth2("https://a/oauth2/token", "me", "pass", "s"),
        ),
    ],
    ids=["none", "basic", "oauth2", "scope not sent", "scope"],
)
def test_parsed(values, expected):
    assert parse_credentials(json.dumps(values).encode(), "x") == expected


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"\xff", b'{"no_auth": false}', b'{"oauth2": {"server": "x"}}',
     b'{"basic_auth": {"user": 1, "password": "p"}}'],
)  # fmt: skip
def test_what_does_not_say_who_we_are(data):
    with pytest.raises(PushRefused, match=r"^creds "):
        parse_credentials(data, "creds")


def test_files(tmp_path):
    data = json.dumps({"basic_auth": {"user": "u", "password": "p"}})
    (tmp_path / "treehub.json").write_text(data)
    assert read_credentials(str(tmp_path / "treehub.json")) == BasicAuth("u", "p")
    for name, member in (("good.zip", "treehub.json"), ("bad.zip", "other.json")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, data)
    assert read_credentials(str(tmp_path / "good.zip")) == BasicAuth("u", "p")
    with pytest.raises(PushRefused, match=r"holds no treehub\.json"):
        read_credentials(str(tmp_path / "bad.zip"))
    with pytest.raises(FileNotFoundError):
        read_credentials(str(tmp_path / "nothing"))


def test_whom_to_trust_is_in_an_archive_of_a_servers_own(tmp_path):
    path = tmp_path / "credentials.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("treehub.json", '{"no_auth": true}')
    assert read_authority(str(path)) is None
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("server_ca.pem", "PEM")
    assert read_authority(str(path)) == b"PEM"
    (tmp_path / "treehub.json").write_text("{}")
    assert read_authority(str(tmp_path / "treehub.json")) is None
