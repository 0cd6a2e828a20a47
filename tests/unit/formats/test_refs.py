# SPDX-License-Identifier: Apache-2.0
"""The grammar of names: what libostree takes and what it does not, tried with libostree 2022.7."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import RefNameError
from ostrya.formats.refs import (
    CollectionRef,
    check_collection_id,
    check_ref_fragment,
    check_ref_name,
    check_remote_name,
    is_ref_name,
    parse_refspec,
)

FRAGMENTS = ["a", "0", "_", "_x", "a.", "a-b", "a.b_c-d", "x86_64", "é", "日本", "١", "ª", "A-.-_"]
NO_FRAGMENTS = [
    "",
    "-a",
    ".a",
    "..",
    "a b",
    "a:b",
    "a\n",
    "\n",
    "a\0",
    "a\udcff",
    "x\u0301",
    "a~",
    "a^",
    "*",
]


@pytest.mark.parametrize("name", [*FRAGMENTS, "a/b", "exampleos/x86_64/standard", "a/_/0"])
def test_refs(name):
    assert is_ref_name(name)
    assert check_ref_name(name) == name
    assert parse_refspec(name) == (None, name)
    assert parse_refspec(f"origin:{name}") == ("origin", name)


@pytest.mark.parametrize("name", [*NO_FRAGMENTS, "/a", "a/", "a//b", "a/.b", "a/-b", "a:b", "a/.."])
def test_no_refs(name):
    assert not is_ref_name(name)
    with pytest.raises(RefNameError):
        check_ref_name(name)
    with pytest.raises(RefNameError):
        parse_refspec(f"origin:{name}")


@pytest.mark.parametrize("name", FRAGMENTS)
def test_remotes(name):
    assert check_remote_name(name) == name
    assert check_ref_fragment(name) == name
    assert parse_refspec(f"{name}:ref") == (name, "ref")


@pytest.mark.parametrize("name", [*NO_FRAGMENTS, "a/b"])
def test_no_remotes(name):
    with pytest.raises(RefNameError):
        check_remote_name(name)
    with pytest.raises(RefNameError):
        check_ref_fragment(name)
    with pytest.raises(RefNameError):
        parse_refspec(f"{name}:ref")


@pytest.mark.parametrize(
    ("check", "text", "sentence"),
    [
        (check_ref_name, "origin:main", "Invalid ref name origin:main"),
        (check_ref_name, "a\udcff", "Invalid ref name: not valid UTF-8"),
        (check_ref_fragment, "-", "Invalid ref fragment '-'"),
        (parse_refspec, "a:b:c", "Invalid refspec a:b:c"),
        (parse_refspec, "a:b:\udcff", "Invalid refspec a:b:�"),
        (check_remote_name, "a/b", "Invalid remote name a/b"),
        (check_collection_id, "a", "Invalid collection ID a"),
    ],
)
def test_sentences_are_those_of_libostree(check, text, sentence):
    with pytest.raises(RefNameError) as caught:
        check(text)
    assert caught.value.message == sentence


@pytest.mark.parametrize("text", ["a.b", "A_.b1", "org.example.Os", "if.in.is", "x" * 253 + ".b"])
def test_collection_ids(text):
    assert check_collection_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1.b",
        "a.1",
        "a-b.c",
        "a..b",
        ".a.b",
        "a.b.",
        "a.é",
        "a.b\n",
        "x" * 254 + ".b",
        "a b.c",
    ],
)
def test_no_collection_ids(text):
    with pytest.raises(RefNameError, match="Invalid collection ID"):
        check_collection_id(text)


def test_collection_refs():
    assert str(CollectionRef("org.example.Os", "main")) == "(org.example.Os, main)"
