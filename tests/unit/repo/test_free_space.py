# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo.free_space import format_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0\xa0kB"),
        (1234, "1.2\xa0kB"),
        (999_949, "999.9\xa0kB"),
        # Rounding does not climb to the next unit, as in GLib.
        (999_950, "1000.0\xa0kB"),
        (1_000_000, "1.0\xa0MB"),
        (4 * 10**9, "4.0\xa0GB"),
        (2**63, "9.2\xa0EB"),
        (10**22, "10000.0\xa0EB"),
    ],
)
def test_as_glib_writes_it(size, text):
    assert format_size(size) == text
