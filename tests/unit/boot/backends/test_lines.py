# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.backends.lines import join_lines, kernel_of
from ostrya.boot.bls import Entry
from ostrya.boot.errors import EntryInvalid


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], ""),
        (["a", "b"], "a\nb\n"),
        (["", "a"], "a\n"),
        (["a", "", "", "b", "", "c"], "a\n\nb\nc\n"),
        (["a\n\nb"], "a\n\nb\n"),
    ],
)
def test_empty_lines(lines, text):
    assert join_lines(lines) == text


def test_kernels():
    assert kernel_of(Entry({"linux": "/x"})) == "/x"
    with pytest.raises(EntryInvalid, match='No "linux" key'):
        kernel_of(Entry({"title": "x"}))
