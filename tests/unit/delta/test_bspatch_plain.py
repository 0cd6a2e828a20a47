# SPDX-License-Identifier: Apache-2.0
"""The patching in Python: `test_bspatch` compares it with the compiled one."""

from __future__ import annotations

import random

import pytest

from ostrya.delta.bspatch_plain import add_bytes


@pytest.mark.parametrize("size", [0, 1, 2, 255, 32 * 1024])
@pytest.mark.parametrize("seed", range(3))
def test_addition(size, seed):
    rng = random.Random(seed)
    one, other = rng.randbytes(size), rng.randbytes(size)
    assert add_bytes(one, other) == bytes((a + b) & 0xFF for a, b in zip(one, other, strict=True))
    assert add_bytes(one, bytes(size)) == one
