# SPDX-License-Identifier: Apache-2.0
"""Who a device is: its name, its Primary's serial, kind of hardware and key.

What is not configured is made up once, and kept: the name at random, the serial from the key, the
kind of hardware from the host's name. What is kept counts, also where the configuration changes: a
device that was another one's tomorrow would be registered twice.
"""

from __future__ import annotations

import re
import secrets
import socket
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.config import KeySource
from ostrya.uptane.client.primary_key import (
    KEY_FACT,
    key_to_keep,
    load_primary_key,
    new_primary_key,
)
from ostrya.uptane.errors import ConfigError
from ostrya.uptane.metadata.keys import Key, uptane_key_id

if TYPE_CHECKING:
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.secret_keys import SecretKey

DEVICE_ID, SERIAL, HARDWARE_ID = "device-id", "ecu-serial", "hardware-id"
"""Facts of the database."""
_NAME = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,126}[\x21-\x7e]|[\x21-\x7e]")
_HARDWARE = re.compile(r"[\x20-\x7e]{1,200}")
_FIRST = (
    "amber", "brave", "brisk", "calm", "clear", "crisp", "deft", "eager", "fair", "fleet", "gentle",
    "glad", "golden", "hardy", "jolly", "keen", "kind", "lively", "lucid", "merry", "mild", "neat",
    "noble", "plain", "proud", "quick", "quiet", "sharp", "sound", "steady", "swift", "warm",
)  # fmt: skip
_SECOND = (
    "almond", "apple", "apricot", "barley", "basil", "bean", "cherry", "clove", "cocoa", "date",
    "fennel", "fig", "ginger", "grape", "hazel", "honey", "lemon", "lentil", "mango", "maple",
    "mint", "nutmeg", "oat", "olive", "orange", "peach", "pear", "pepper", "plum", "rice", "sage",
    "thyme",
)  # fmt: skip


class Identity(NamedTuple):
    """Who a device is.

    Attributes:
        device_id: What the server calls it; empty before it has a certificate.
        serial: Of the Primary.
        hardware_id: What kind of board that is.
        key_id: What its key is called in its reports.
        secret: The key.
    """

    device_id: str
    serial: str
    hardware_id: str
    key_id: str
    secret: SecretKey


class EcuDescription(NamedTuple):
    """An ECU, as it is registered.

    Attributes:
        serial: Which one.
        hardware_id: Of which kind.
        key: Signs its reports.
    """

    serial: str
    hardware_id: str
    key: Key


def find_identity(config: ClientConfig, storage: Storage) -> Identity | None:
    """Return who the device is; None if that was not settled yet. Nothing is written."""
    serial, hardware_id = fact_text(storage, SERIAL), fact_text(storage, HARDWARE_ID)
    if not serial or not hardware_id:
        return None
    secret = load_primary_key(config, storage)
    if secret is None:
        return None
    name = fact_text(storage, DEVICE_ID)
    return Identity(name, serial, hardware_id, uptane_key_id(secret.key), secret)


def settle_identity(config: ClientConfig, storage: Storage) -> Identity:
    """Return who the device is; what is not known yet is made up and kept, all at once.

    Raises:
        ConfigError: A name is configured that cannot be one, or a token cannot be used.
        IdentityError: What is kept is no key.
        StorageError: It cannot be kept.
    """
    found = find_identity(config, storage)
    if found is not None:
        return found
    facts: dict[str, bytes] = {}
    secret = load_primary_key(config, storage)
    if secret is None:
        secret = new_primary_key(config)
        facts[KEY_FACT] = key_to_keep(secret)
    key_id = uptane_key_id(secret.key)
    section = config.provision
    serial = _checked(section.primary_ecu_serial or key_id, "primary_ecu_serial")
    hardware_id = section.primary_ecu_hardware_id or socket.gethostname()
    if not _HARDWARE.fullmatch(hardware_id):
        raise ConfigError(f"{hardware_id!r} is no primary_ecu_hardware_id: see [provision]")
    # What was settled before stays: only what is missing is added.
    facts[SERIAL] = storage.fact(SERIAL) or serial.encode()
    facts[HARDWARE_ID] = storage.fact(HARDWARE_ID) or hardware_id.encode()
    storage.set_facts(facts)
    kept = find_identity(config, storage)
    return kept or Identity("", serial, hardware_id, key_id, secret)


def wished_device_id(config: ClientConfig, common_name: str = "") -> str:
    """Return what a device is to be called: as configured, by its certificate, or by chance.

    Raises:
        ConfigError: The name cannot be one.
    """
    return _checked(config.provision.device_id or common_name or random_name(), "device_id")


def random_name() -> str:
    """Return a name that no other device has, and that people can say."""
    first, second = secrets.choice(_FIRST), secrets.choice(_SECOND)
    return f"{first}-{second}-{secrets.randbelow(10**9):09}"


def primary_description(identity: Identity) -> EcuDescription:
    """Return the Primary, as it is registered."""
    return EcuDescription(identity.serial, identity.hardware_id, identity.secret.key)


def is_on_token(config: ClientConfig) -> bool:
    """Say whether the Primary's key is on a token."""
    return config.uptane.key_source is KeySource.PKCS11


def fact_text(storage: Storage, name: str) -> str:
    """Return a fact that is text; empty for none."""
    return (storage.fact(name) or b"").decode("utf-8", "replace")


def _checked(name: str, key: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} of [provision] is no {key}",
            hint="up to 128 printable characters of ASCII, without blanks at the ends",
        )
    return name
