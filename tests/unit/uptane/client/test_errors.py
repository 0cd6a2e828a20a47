# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

from ostrya.uptane.client import errors


def test_facts_survive_a_copy():
    room = pickle.loads(pickle.dumps(errors.NoRoom("x", 10, -3)))
    assert (str(room), room.needed_bytes, room.room_bytes) == (
        "x takes 10 bytes, and there is room for 0", 10, -3,
    )  # fmt: skip
    kept = errors.NoRoom("x", 10, -3, 8, "min_free_mib says so")
    assert str(pickle.loads(pickle.dumps(kept))) == (
        "x takes 10 bytes, and of 5 that are free, 8 stay so: min_free_mib says so"
    )
    refused = pickle.loads(pickle.dumps(errors.SecondaryRefused("no", "INSTALL_FAILED")))
    assert refused.code == "INSTALL_FAILED"
    control = pickle.loads(pickle.dumps(errors.ControlRefused("nothing", "there is nothing", "x")))
    assert (control.code, control.hint) == ("nothing", "x")
