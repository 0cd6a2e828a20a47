# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.domain.words import plain


def test_text_that_every_database_takes():
    assert plain("a\0b") == "a\ufffdb"
    assert plain("abc", 2) == "ab"
    assert plain(3) == ""
    assert plain(None) == ""
