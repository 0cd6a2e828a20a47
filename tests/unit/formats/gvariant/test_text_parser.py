# SPDX-License-Identifier: Apache-2.0
"""Types and values of variant text, as GLib 2.74 finds them."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text_parser import parse_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant


@pytest.mark.parametrize(
    ("text", "type_string", "value"),
    [
        ("5", "i", 5),
        ("1e5", "d", 100000.0),
        ("byte -0", "y", 0),
        ("int64 -9223372036854775808", "x", -(2**63)),
        ("just just 1", "mmi", (1,)),
        ("[1,nothing]", "ami", (1, None)),
        ("[nothing,just 1]", "ami", (None, 1)),
        ("[1,just 2]", "ami", (1, 2)),
        ("[1.5,1]", "ad", (1.5, 1.0)),
        ("[1,uint32 2]", "au", (1, 2)),
        ("['a',objectpath '/b']", "ao", None),
        ("['/a',objectpath '/b']", "ao", ("/a", "/b")),
        ("[[],[1]]", "aai", ((), (1,))),
        ("[(1,nothing),(1,just 2)]", "a(imi)", ((1, None), (1, 2))),
        ("[(1,'a'),(1.0,'b')]", "a(ds)", ((1.0, "a"), (1.0, "b"))),
        ("[{},{'a':1}]", "aa{si}", ((), (("a", 1),))),
        ("[b'a',[1]]", "aay", (b"a\0", b"\1")),
        (
            "{'a':<1>,'b':<'x'>}",
            "a{sv}",
            VarDict.of({"a": Variant("i", 1), "b": Variant("s", "x")}),
        ),
        ("{'a':nothing,'b':1}", "a{smi}", (("a", None), ("b", 1))),
        ("[{1,2}]", "a{ii}", ((1, 2),)),
        ("{1,2}", "{ii}", (1, 2)),
        ("[<1>,nothing]", "amv", (Variant("i", 1), None)),
        ("@mmi 5", "mmi", (5,)),
        ("@mmi just nothing", "mmi", (None,)),
        ("@ai [uint32 1]", "ai", (1,)),
        ("uint32 int32 5", "u", 5),
        ("@a{sv} {}", "a{sv}", VarDict()),
        ("signature 'a{sv}'", "g", "a{sv}"),
    ],
)
def test_values(text, type_string, value):
    if value is None:
        with pytest.raises(GVariantError, match="not a valid object path"):
            parse_variant(text)
        return
    found = parse_variant(text)
    assert found == Variant(type_string, value)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("text", "type_string", "value"),
    [
        ("5", "u", 5),
        ("5", "mi", 5),
        ("5", "mmi", (5,)),
        ("nothing", "mmi", None),
        ("just nothing", "mmi", (None,)),
        ("@i 5", "u", 5),
        ("[]", "a{sv}", VarDict()),
        ("[1,2]", "ay", b"\1\2"),
        ("{}", "a{sv}", VarDict()),
        ("(1,'a')", "(ts)", (1, "a")),
    ],
)
def test_values_of_a_given_type(text, type_string, value):
    assert parse_variant(text, type_string) == Variant(type_string, value)


@pytest.mark.parametrize(
    ("text", "type_string", "message"),
    [
        ("[]", None, "0-2:unable to infer type"),
        ("nothing", None, "0-7:unable to infer type"),
        ("<[]>", None, "1-3:unable to infer type"),
        ('[1,2,"a"]', None, "1-2,5-8:unable to find a common type"),
        ("[uint16 1,uint32 2]", None, "1-9,10-18:unable to find a common type"),
        ("{'a':1,2:3}", None, "1-4,7-8:unable to find a common type"),
        ("{<1>:2}", None, "0-7:dictionary keys must have basic types"),
        ("{[1]:2}", None, "0-7:dictionary keys must have basic types"),
        ("uint32 -1", None, "7-9:number out of range for type 'u'"),
        ("byte 256", None, "5-8:number out of range for type 'y'"),
        ("int16 -32769", None, "6-12:number out of range for type 'n'"),
        ("99999999999", None, "0-11:number out of range for type 'i'"),
        ("objectpath 'a'", None, "11-14:not a valid object path"),
        ("signature 'zz'", None, "10-14:not a valid signature"),
        ("boolean 1", None, "8-9:can not parse as value of type 'b'"),
        ("uint32 [1,2]", None, "7-12:can not parse as value of type 'u'"),
        ("5", "s", "0-1:can not parse as value of type 's'"),
        ("5.5", "i", "1-2:invalid character in number"),
        ("(1,2)", "(i)", "0-5:can not parse as value of type '(i)'"),
        ("{'a':1}", "a{sv}", "5-6:can not parse as value of type 'v'"),
        ("just 5", "i", "0-6:can not parse as value of type 'i'"),
        ("1", "v", "0-1:can not parse as value of type 'v'"),
        ("'\ud800'", None, "1:text is not UTF-8"),
    ],
)
def test_what_is_none(text, type_string, message):
    with pytest.raises(GVariantError) as caught:
        parse_variant(text, type_string)
    assert caught.value.message == message


def test_an_unknown_type():
    with pytest.raises(GVariantError):
        parse_variant("5", "zz")


def test_depth_over_all_is_limited():
    deep = "@" + "a" * 40 + "s []"
    assert parse_variant(f"<{deep}>").type == "v"
    with pytest.raises(GVariantError):
        parse_variant("<" * 30 + deep + ">" * 30)
