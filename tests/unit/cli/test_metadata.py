# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.errors import UsageError
from ostrya.cli.metadata import string_entries, variant_entries
from ostrya.errors import FormatError


def test_text_and_values():
    assert string_entries(["k=v=w", "e="]) == [("k", ("s", "v=w")), ("e", ("s", ""))]
    assert variant_entries(["k=uint32 7"]) == [("k", ("u", 7))]


def test_errors():
    with pytest.raises(UsageError, match="Missing '=' in KEY=VALUE metadata 'k'"):
        string_entries(["k"])
    with pytest.raises(FormatError, match=r"^Parsing k=nope: "):
        variant_entries(["k=nope"])
