# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.paths import check_name, check_pattern, has_prefix, matches, name_digest


@pytest.mark.parametrize("name", ["a", "a/b.bin", "name-1.0~rc:2+é", "..a", "a..b", "a" * 254])
def test_names(name):
    check_name(name, "it")


@pytest.mark.parametrize(
    "name",
    ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/.", "a\\b", "a\nb", "a\0b", "a" * 255],
)
def test_names_that_lead_elsewhere(name):
    with pytest.raises(MetadataInvalid, match="which no image may have"):
        check_name(name, "it")


@pytest.mark.parametrize(
    ("pattern", "name", "uptane", "tuf"),
    [
        ("*", "a", True, True),
        ("*", "a/b", True, False),
        ("a/*", "a/b", True, True),
        ("a/*", "a/b/c", True, False),
        ("a/*.bin", "a/b.bin", True, True),
        ("a/*.bin", "b/b.bin", False, False),
        ("a?", "ab", True, True),
        ("A", "a", False, False),
        ("[ab]", "b", True, True),
    ],
)
def test_patterns(pattern, name, uptane, tuf):
    assert matches(Dialect.UPTANE, pattern, name) is uptane
    assert matches(Dialect.TUF, pattern, name) is tuf


@pytest.mark.parametrize("pattern", ["a" * 255, "*a" * 17])
def test_patterns_that_take_long(pattern):
    with pytest.raises(MetadataInvalid):
        check_pattern(pattern, "it")


def test_the_worst_pattern_that_is_taken_comes_to_an_end():
    check_pattern("*a" * 16 + "b", "it")
    assert not matches(Dialect.UPTANE, "*a" * 16 + "b", "a" * 254)


def test_hash_prefixes():
    digest = name_digest("a")
    assert has_prefix(["ff", digest[:3].upper()], "a")
    assert not has_prefix(["zz"], "a")
