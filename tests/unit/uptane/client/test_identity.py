# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest

from ostrya.uptane.client import identity as module
from ostrya.uptane.client.config import ClientConfig, KeyType, ProvisionSection, UptaneSection
from ostrya.uptane.client.identity import (
    find_identity,
    primary_description,
    settle_identity,
    wished_device_id,
)
from ostrya.uptane.client.primary_key import KEY_FACT
from ostrya.uptane.errors import ConfigError
from ostrya.uptane.metadata.keys import uptane_key_id

CONFIG = ClientConfig(uptane=UptaneSection(key_type=KeyType.ED25519))


def configured(**section: str) -> ClientConfig:
    return CONFIG._replace(provision=ProvisionSection(**section))


def test_made_up_once(storage, monkeypatch):
    monkeypatch.setattr(module.socket, "gethostname", lambda: "board-1")
    assert find_identity(CONFIG, storage) is None
    assert storage.rows("SELECT count(*) FROM facts") == [(0,)]
    found = settle_identity(CONFIG, storage)
    assert found.hardware_id == "board-1"
    # As aktualizr has it: the serial is the id of the key.
    assert found.serial == found.key_id == uptane_key_id(found.secret.key)
    monkeypatch.setattr(module.socket, "gethostname", lambda: "renamed")
    again = settle_identity(configured(primary_ecu_serial="other"), storage)
    assert again[:4] == found[:4]
    assert again.secret.key == found.secret.key
    assert primary_description(found) == (found.serial, "board-1", found.secret.key)


def test_as_configured(storage):
    config = configured(primary_ecu_serial="ecu-1", primary_ecu_hardware_id="board")
    found = settle_identity(config, storage)
    assert (found.serial, found.hardware_id) == ("ecu-1", "board")
    assert found.key_id != "ecu-1"


def test_a_key_that_was_given_stays(storage):
    first = settle_identity(CONFIG, storage)
    key = storage.fact(KEY_FACT)
    storage.forget_fact(module.SERIAL)
    assert settle_identity(CONFIG, storage).serial == first.serial
    assert storage.fact(KEY_FACT) == key


@pytest.mark.parametrize(
    "section",
    [
        {"primary_ecu_serial": " a"}, {"primary_ecu_serial": "ä"}, {"primary_ecu_serial": "a" * 129},
        {"primary_ecu_hardware_id": "x" * 201}, {"primary_ecu_hardware_id": "a\n"},
    ],
)  # fmt: skip
def test_no_names(storage, section):
    with pytest.raises(ConfigError):
        settle_identity(configured(**section), storage)
    assert storage.rows("SELECT count(*) FROM facts") == [(0,)]


def test_names_of_devices():
    assert wished_device_id(configured(device_id="mine"), "by-certificate") == "mine"
    assert wished_device_id(CONFIG, "by-certificate") == "by-certificate"
    names = {wished_device_id(CONFIG) for _ in range(50)}
    assert len(names) == 50
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-[0-9]{9}", name) for name in names)
    with pytest.raises(ConfigError):
        wished_device_id(configured(device_id="a\x00b"))
