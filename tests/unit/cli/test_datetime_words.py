# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.datetime_words import Sort, split_tokens


@pytest.mark.parametrize(
    ("text", "sorts"),
    [
        ("2005-10-29", [Sort.UNSIGNED, Sort.SIGNED, Sort.SIGNED]),
        ("17-JUN-1992", [Sort.UNSIGNED, Sort.MONTH, Sort.SIGNED]),
        ("5pm", [Sort.UNSIGNED, Sort.MERIDIAN]),
        ("last week ago", [Sort.ORDINAL, Sort.UNIT, Sort.AGO]),
        ("Mon. Thurs tues", [Sort.DAY, Sort.DAY, Sort.DAY]),
        ("GMT CEST DST", [Sort.ZONE, Sort.SUMMER_ZONE, Sort.SUMMER_TIME]),
        ("(a comment) now", [Sort.SHIFT]),
        ("1:2", [Sort.UNSIGNED, Sort.CHARACTER, Sort.UNSIGNED]),
    ],
)
def test_sorts(text, sorts):
    assert [token and token.sort for token in split_tokens(text)] == sorts


def test_an_unknown_word_is_none():
    assert list(split_tokens("fnord")) == [None]


def test_numbers_keep_sign_digits_and_fraction():
    (token,) = split_tokens("- 007.25")
    assert (token.value, token.digits, token.fraction, token.sort) == (-7, 3, "25", Sort.SIGNED)


@pytest.mark.parametrize(("word", "month"), [("may", 5), ("Sept", 9), ("dec.", 12), ("MARCH", 3)])
def test_months(word, month):
    (token,) = split_tokens(word)
    assert (token.sort, token.value) == (Sort.MONTH, month)
