# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

from ostrya.delta.errors import PartMismatch


def test_mismatch():
    error = PartMismatch("a", "b")
    assert str(error) == "Checksum mismatch in static delta part; expected=a actual=b"
    again = pickle.loads(pickle.dumps(error))
    assert (again.expected, again.actual, again.message) == ("a", "b", error.message)
