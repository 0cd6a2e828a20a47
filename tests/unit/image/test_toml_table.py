# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import BoardError
from ostrya.image.toml_table import TomlDocument

TEXT = """\
a = "x"
n = 3
l = ["y"]
[t]
b = true
[[ts]]
[[ts]]
u = 1
"""


def test_what_is_read_is_gone():
    document = TomlDocument(TEXT, "f")
    table = document.top
    assert (table.text("a"), table.number("n"), table.texts("l")) == ("x", 3, ("y",))
    inner = table.table("t")
    assert inner is not None
    assert inner.truth("b")
    assert len(table.tables("ts")) == 2
    assert table.one_of("none", ("x", "y"), "y") == "y"
    table.end()
    document.raise_any()


def test_all_mistakes_are_told_with_their_lines():
    document = TomlDocument(TEXT, "f")
    table = document.top
    assert (table.text("n"), table.number("a"), table.text("gone")) == ("", 0, "")
    assert table.one_of("l", ("x",)) == ""
    assert table.texts("ts") == ()
    inner = table.table("t")
    assert inner is not None
    inner.end()
    table.skip("never")
    table.end()
    with pytest.raises(BoardError) as caught:
        document.raise_any()
    assert caught.value.message.splitlines() == [
        "f:1: a is no number",
        "f:1: gone is missing",
        "f:2: n is no text",
        "f:3: l is no text",
        "f:5: nobody knows t.b",
        "f:6: ts is no list of texts",
    ]


def test_places_in_lists_of_tables():
    document = TomlDocument(TEXT, "f")
    for table in document.top.tables("ts"):
        table.end()
    with pytest.raises(BoardError, match=r"^f:8: nobody knows ts\.u$"):
        document.raise_any()


def test_what_is_no_toml():
    with pytest.raises(BoardError, match=r"^f:2: "):
        TomlDocument("a = 1\n= 2\n", "f")


@pytest.mark.parametrize(
    ("value", "words"), [("[{}, 1]", "no list of tables"), ("{}", "no list"), ("1", "no list")]
)
def test_no_list_of_tables(value, words):
    document = TomlDocument(f"x = {value}", "f")
    assert document.top.tables("x") == []
    with pytest.raises(BoardError, match=words):
        document.raise_any()
