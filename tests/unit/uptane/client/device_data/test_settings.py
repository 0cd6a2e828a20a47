# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from ostrya.uptane.client.config import (
    ClientConfig,
    NetworkSection,
    P11Section,
    PacmanSection,
    ProvisionSection,
    TlsSection,
)
from ostrya.uptane.client.config_files import load_config
from ostrya.uptane.client.device_data.settings import config_toml


def test_every_section_and_key_is_there():
    found = tomllib.loads(config_toml(ClientConfig()))
    assert found["uptane"]["polling_sec"] == 10
    assert found["import"]["base_path"] == "/var/sota/import"
    assert found["telemetry"]["report_config"] is True
    assert found["pacman"]["type"] == "ostree"
    assert len(found) == len(ClientConfig._fields)


def test_a_client_reads_it(tmp_path):
    config = ClientConfig(
        tls=TlsSection(server="https://host"), provision=ProvisionSection(device_id="a b"),
        pacman=PacmanSection(extra={"key": "value"}),
    )  # fmt: skip
    (tmp_path / "x.toml").write_text(config_toml(config))
    assert load_config([str(tmp_path / "x.toml")], {}).config == config


def test_no_secret_leaves_the_device():
    config = ClientConfig(
        p11=P11Section(pass_="1234-secret"),
        provision=ProvisionSection(p12_password="p12-secret"),
        network=NetworkSection(proxy="http://me:proxy-secret@host:1"),
    )
    text = config_toml(config)
    assert "secret" not in text
    assert "host:1" in text


@given(st.text(), st.text(min_size=1))
def test_any_value_is_toml(value, key):
    config = ClientConfig(
        pacman=PacmanSection(os=value.encode("utf-8", "ignore").decode(), extra={key: "x"})
    )
    tomllib.loads(config_toml(config))
