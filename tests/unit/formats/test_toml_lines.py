# SPDX-License-Identifier: Apache-2.0
from ostrya.formats.toml_lines import toml_lines

TEXT = '''\
# a comment = 1
name = """two
lines # not a comment"""
a.b = { c = 1, "d e" = [1,
2] }
when = 2020-01-01 10:00:00

[one.two]  # [no]
list = [ # first
  'x', "]",
  [1]
]
[[many]]
key = 1
[many.inner]
[[many]]
key = 2
[[many.deep]]
x = 1.5
'''


def test_places_of_all_kinds():
    found = toml_lines(TEXT)
    assert {place: line for place, line in found.items() if place} == {
        ("name",): 2,
        ("a",): 4,
        ("a", "b"): 4,
        ("a", "b", "c"): 4,
        ("a", "b", "d e"): 4,
        ("a", "b", "d e", 0): 4,
        ("a", "b", "d e", 1): 5,
        ("when",): 6,
        ("one",): 8,
        ("one", "two"): 8,
        ("one", "two", "list"): 9,
        ("one", "two", "list", 0): 10,
        ("one", "two", "list", 1): 10,
        ("one", "two", "list", 2): 11,
        ("one", "two", "list", 2, 0): 11,
        ("many",): 13,
        ("many", 0): 13,
        ("many", 0, "key"): 14,
        ("many", 0, "inner"): 15,
        ("many", 1): 16,
        ("many", 1, "key"): 17,
        ("many", 1, "deep"): 18,
        ("many", 1, "deep", 0): 18,
        ("many", 1, "deep", 0, "x"): 19,
    }
