# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.errors import UsageError
from ostrya.cli.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500", 500), ("64M", 64 << 20), ("2k", 2048), ("1G", 1 << 30)]
)
def test_sizes(text, size):
    assert parse_size(text, "--memory") == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5G", "64MM", "64MB", "x", "٣"])
def test_no_sizes(text):
    with pytest.raises(UsageError, match=r"--memory: '.*' is no size"):
        parse_size(text, "--memory")
