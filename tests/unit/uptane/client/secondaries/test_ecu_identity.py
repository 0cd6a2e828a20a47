# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.secondaries.ecu_identity import EcuIdentity, Verification
from support.uptane_world import key


def test_an_ecu_verifies_all_unless_it_is_told_otherwise():
    assert EcuIdentity("s", "h", "k", key(40)).verification is Verification.FULL
    assert [one.value for one in Verification] == ["Full", "Partial", "Tuf"]
