# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.pull.result import PullResult


def test_what_is_left_out_did_not_happen():
    result = PullResult(1, 2, 0, 0, 9, 99, is_local=False, refs={})
    assert (result.delta_parts_fetched, result.plan, result.ways) == (0, None, None)
