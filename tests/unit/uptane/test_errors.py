# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import pytest

from ostrya.errors import UptaneError
from ostrya.uptane import errors


def test_facts():
    error = errors.ThresholdNotMet("targets of the Director", "targets", 1, 2)
    assert (error.role, error.valid, error.threshold) == ("targets", 1, 2)
    assert (
        str(error)
        == "targets of the Director is signed by 1 of the keys of targets, 2 have to sign"
    )
    expired = errors.MetadataExpired("it", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert (expired.expired, expired.now) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert pickle.loads(pickle.dumps(expired)).hint == expired.hint


@pytest.mark.parametrize(
    ("error", "attack"),
    [
        (errors.MetadataTooLarge, "endless data"), (errors.ThresholdNotMet, "arbitrary software"),
        (errors.RollbackDetected, "rollback"), (errors.MetadataExpired, "freeze"),
        (errors.MetadataMismatch, "mix and match"), (errors.EcuMismatch, "mix-up of devices"),
        (errors.MetadataInvalid, ""),
    ],
)  # fmt: skip
def test_the_attack_is_named(error, attack):
    assert error.attack == attack
    assert error.exit_code == UptaneError.exit_code == 70


def test_what_a_server_said():
    error = errors.ServerRefused("https://gate/devices", 409, "device_already_registered", "taken")
    assert str(error) == (
        "https://gate/devices: the server says no, with status 409:"
        " device_already_registered (taken)"
    )
    assert (error.status, error.code, error.description) == (
        409, "device_already_registered", "taken",
    )  # fmt: skip
    assert str(errors.ServerRefused("u", 503)) == "u: the server says no, with status 503"
    assert pickle.loads(pickle.dumps(errors.AnswerTooLarge("u", 5))).max_bytes == 5
