# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.delta_name import DeltaName
from ostrya.pull.delta_choice import choose_delta

TO, OLD, NEW, GONE = "a" * 64, "b" * 64, "c" * 64, "d" * 64
TIMES = {OLD: 5, NEW: 7}
SCRATCH = DeltaName(TO, None)


@pytest.mark.parametrize(
    ("offered", "pulled_before", "chosen"),
    [
        ([], False, None),
        ([DeltaName(OLD, NEW), DeltaName(OLD, None)], False, None),
        ([SCRATCH], False, SCRATCH),
        ([SCRATCH], True, None),
        ([SCRATCH, DeltaName(TO, OLD)], True, DeltaName(TO, OLD)),
        ([DeltaName(TO, OLD), DeltaName(TO, NEW)], False, DeltaName(TO, NEW)),
        ([DeltaName(TO, NEW), DeltaName(TO, OLD), SCRATCH], False, DeltaName(TO, NEW)),
        ([DeltaName(TO, GONE)], False, None),
        ([DeltaName(TO, GONE), SCRATCH], False, SCRATCH),
    ],
)
def test_choice(offered, pulled_before, chosen):
    assert choose_delta(TO, offered, TIMES.get, pulled_before=pulled_before) == chosen
