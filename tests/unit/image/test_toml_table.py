# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import BoardError
from ostrya.image.toml_table import TomlTable


def test_what_is_read_is_gone():
    table = TomlTable("f", "", {"a": "x", "n": 3, "l": ["y"], "t": {"b": True}, "ts": [{}]})
    assert (table.text("a"), table.number("n"), table.texts("l")) == ("x", 3, ("y",))
    inner = table.table("t")
    assert inner is not None
    assert inner.truth("b")
    assert len(table.tables("ts")) == 1
    assert table.one_of("none", ("x", "y"), "y") == "y"
    table.end()


def test_what_is_left_is_a_mistake():
    with pytest.raises(BoardError, match=r"f: nobody knows s\.a"):
        TomlTable("f", "s.", {"a": 1}).end()


@pytest.mark.parametrize(
    ("value", "words"), [([{}, 1], "no list of tables"), ({}, "no list"), (1, "no list")]
)
def test_no_list_of_tables(value, words):
    with pytest.raises(BoardError, match=words):
        TomlTable("f", "", {"x": value}).tables("x")
