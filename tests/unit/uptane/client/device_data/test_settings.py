# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tomllib

from ostrya.uptane.client.config import (
    ClientConfig,
    KeyType,
    NetworkSection,
    P11Section,
    PacmanSection,
    ProvisionSection,
    UptaneSection,
)
from ostrya.uptane.client.config_files import load_config
from ostrya.uptane.client.device_data.settings import config_toml


def test_what_is_written_reads_the_same(tmp_path):
    config = ClientConfig(
        uptane=UptaneSection(key_type=KeyType.ED25519, polling_sec=7, vehicle_id='a"b\\\x7f\né'),
        pacman=PacmanSection(extra={"a b": "1", "tags": "x"}),
    )
    path = tmp_path / "a.toml"
    path.write_text(config_toml(config))
    loaded = load_config([str(path)])
    assert loaded.config == config
    assert loaded.warnings == ()


def test_nothing_secret_is_in_it():
    config = ClientConfig(
        p11=P11Section(pass_="pin-4711"),
        provision=ProvisionSection(p12_password="hush"),
        network=NetworkSection(proxy="http://me:secret@proxy:3128"),
    )
    text = config_toml(config)
    for word in ("pin-4711", "hush", "secret"):
        assert word not in text
    found = tomllib.loads(text)
    assert found["p11"]["pass"] == found["provision"]["p12_password"] == "…"
    assert found["network"]["proxy"] == "http://proxy:3128"
    assert tomllib.loads(config_toml(ClientConfig()))["p11"]["pass"] == ""
