# SPDX-License-Identifier: Apache-2.0
"""Key files: what GLib 2.74 makes of the same text, and that what stands is kept."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import KeyFileError
from ostrya.formats.keyfile import KeyFile

CONFIG = """\
# of this machine

[core]
repo_version=1
mode=archive-z2
# space left
min-free-space-percent=3

[remote "origin"]
url=https://example.com/a b\x20
branches=main;devel;

"""


def sentence(attempt) -> str:
    with pytest.raises(KeyFileError) as caught:
        attempt()
    return caught.value.message


def test_what_is_not_changed_is_written_back():
    parsed = KeyFile.parse(CONFIG)
    assert parsed.to_text() == CONFIG
    assert KeyFile.decode(CONFIG.encode()).to_text() == CONFIG


def test_groups_and_keys():
    parsed = KeyFile.parse(CONFIG)
    assert parsed.groups() == ("core", 'remote "origin"')
    assert parsed.keys("core") == ("repo_version", "mode", "min-free-space-percent")
    assert parsed.has_group("core")
    assert not parsed.has_group("cor")
    assert parsed.has_key("core", "mode")
    assert not parsed.has_key("core", "nope")
    assert not parsed.has_key("nope", "mode")
    assert parsed.get_string('remote "origin"', "url") == "https://example.com/a b "
    assert parsed.get_string_list('remote "origin"', "branches") == ("main", "devel")
    assert parsed.get_int("core", "repo_version") == 1


def test_vector(vectors):
    text = (vectors / "config").read_text()
    parsed = KeyFile.parse(text)
    assert parsed.to_text() == text
    assert parsed.get_boolean("core", "tombstone-commits") is True


@pytest.mark.parametrize(
    ("text", "without_comments", "with_comments"),
    [
        ("", "", ""),
        ("\n", "", "\n"),
        ("[a]\nb=c", "[a]\nb=c\n", "[a]\nb=c\n"),
        ("  [a]\n b = c  \n", "[a]\nb=c  \n", "[a]\nb=c  \n"),
        ("[a] \t\nb=c", "[a]\nb=c\n", "[a]\nb=c\n"),
        ("[a]\nb=\n", "[a]\nb=\n", "[a]\nb=\n"),
        ("[a]\n#x\nb=c\n\n\n#y\nd=e\n\n[f]\n#z\n", "[a]\nb=c\nd=e\n\n[f]\n", None),
        ("#top\n\n[a]\nb=1\n[b]\nc=1\n[a]\nd=3\n", "[a]\nb=1\nd=3\n\n[b]\nc=1\n", "#top\n\n[a]\nb=1\nd=3\n\n[b]\nc=1\n"),
        ("[a]\nb=1\nb=2\n", "[a]\nb=1\nb=2\n", "[a]\nb=1\nb=2\n"),
        ("[a]\r\nb=c\r\n", "[a]\nb=c\n", "[a]\nb=c\n"),
        ("[a]\r\r\nb=c\r\r\n#d\r\r", "[a]\nb=c\n", "[a]\nb=c\n#d\n"),
        ("[a]\nb c=d\n", "[a]\nb c=d\n", "[a]\nb c=d\n"),
        ("[a]\nb  =d\n", "[a]\nb=d\n", "[a]\nb=d\n"),
        ("[a]\n  # hi\n", "[a]\n", "[a]\n  # hi\n"),
        ("[a]\n\n\n[b]\n", "[a]\n\n[b]\n", "[a]\n\n\n[b]\n"),
        ("[a]\nb=c\n#last", "[a]\nb=c\n", "[a]\nb=c\n#last\n"),
        ("[a]\n\u00a0b=c\n", "[a]\n\u00a0b=c\n", "[a]\n\u00a0b=c\n"),
        ("[a]\n\x0bb=\x0cc\n", "[a]\nb=c\n", "[a]\nb=c\n"),
        ("[a]\nb[xx@y]=c\n", "[a]\nb[xx@y]=c\n", "[a]\nb[xx@y]=c\n"),
    ],
)  # fmt: skip
def test_text_of_all_kinds(text, without_comments, with_comments):
    expected = text if with_comments is None else with_comments
    assert KeyFile.parse(text).to_text() == expected
    assert KeyFile.parse(text, keep_comments=False).to_text() == without_comments


NO_LINE = "Key file contains line “{}” which is not a key-value pair, group, or comment"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b=c\n", "Key file does not start with a group"),
        ("[a]\nfoo\n", NO_LINE.format("foo")),
        ("[a]\n=c\n", NO_LINE.format("=c")),
        (" =c", NO_LINE.format(" =c")),
        ("[a]x\n", NO_LINE.format("[a]x")),
        ("[a\n", NO_LINE.format("[a")),
        ("[a]\n;x\n", NO_LINE.format(";x")),
        ("\ufeff[a]\n", NO_LINE.format("\ufeff[a]")),
        ("[]\n", "Invalid group name: "),
        ("[a[b]\n", "Invalid group name: a[b"),
        ("[a\tb]\n", "Invalid group name: a\tb"),
        ("[a]\n]b=d\n", "Invalid key name: ]b"),
        ("[a]\n[b=d\n", "Invalid key name: [b"),
        ("[a]\nb[=d\n", "Invalid key name: b["),
        ("[a]\nb[x]y=d\n", "Invalid key name: b[x]y"),
        ("[a]\nb[x y]=d\n", "Invalid key name: b[x y]"),
        ("[a]\nb=\0\n", "Key file contains a NUL character"),
    ],
)
def test_what_is_no_key_file(text, expected):
    assert sentence(lambda: KeyFile.parse(text)) == expected


def test_not_utf8():
    assert sentence(lambda: KeyFile.decode(b"[a]\n\xff=")) == "Key file is not UTF-8 (byte 4)"


VALUES = KeyFile.parse(
    r"""[g]
t=true
f=false
one=1
zero=0
padded=true
capital=True
n=42
neg=-3
hex=0x10
big=99999999999
u=18446744073709551615
u2=18446744073709551616
empty=
sp= 12
words=12 and more
x=12x
plus=+5
arabic=٣
long=000000000000000000000000000000000007
esc=a\sb\tc\nd\\e\rf
twice=\\\\s
bad=a\qb
trail=a\
semi=a\;b
l=a;b;c;
l2=a;b;c
l3=a\;b;c;
l4=;;a;
l5=a\\;b;
lbad=a;b\q;
b=1
b=2
""".replace("padded=true", "padded=true  ")
)


@pytest.mark.parametrize(
    ("key", "value"),
    [("t", True), ("f", False), ("one", True), ("zero", False), ("padded", True)],
)
def test_booleans(key, value):
    assert VALUES.get_boolean("g", key) is value


@pytest.mark.parametrize("key", ["capital", "n", "empty"])
def test_no_booleans(key):
    assert sentence(lambda: VALUES.get_boolean("g", key)) == (
        f"Key file contains key “{key}” which has a value that cannot be interpreted."
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("n", 42), ("neg", -3), ("sp", 12), ("words", 12), ("plus", 5), ("long", 7)],
)
def test_integers(key, value):
    assert VALUES.get_int("g", key) == value


@pytest.mark.parametrize("key", ["hex", "big", "empty", "x", "t", "arabic"])
def test_no_integers(key):
    assert sentence(lambda: VALUES.get_int("g", key)) == (
        f"Key file contains key “{key}” in group “g” which has a value that cannot be interpreted."
    )


@pytest.mark.parametrize(("key", "value"), [("n", 42), ("u", 2**64 - 1), ("plus", 5), ("sp", 12)])
def test_unsigned(key, value):
    assert VALUES.get_uint64("g", key) == value


@pytest.mark.parametrize("key", ["u2", "neg", "hex", "empty", "words"])
def test_no_unsigned(key):
    value = VALUES.get_value("g", key)
    assert sentence(lambda: VALUES.get_uint64("g", key)) == (
        f"Key “{key}” in group “g” has value “{value}” where uint64 was expected"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("esc", "a b\tc\nd\\e\rf"), ("twice", r"\\s"), ("l", "a;b;c;"), ("empty", ""), ("b", "2")],
)
def test_strings(key, value):
    assert VALUES.get_string("g", key) == value


@pytest.mark.parametrize("key", ["bad", "trail", "semi"])
def test_no_strings(key):
    assert sentence(lambda: VALUES.get_string("g", key)) == (
        f"Key file contains key “{key}” which has a value that cannot be interpreted."
    )
    assert VALUES.get_value("g", key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("l", ("a", "b", "c")),
        ("l2", ("a", "b", "c")),
        ("l3", ("a;b", "c")),
        ("l4", ("", "", "a")),
        ("l5", ("a\\", "b")),
        ("empty", ()),
        ("esc", ("a b\tc\nd\\e\rf",)),
    ],
)
def test_lists(key, value):
    assert VALUES.get_string_list("g", key) == value


@pytest.mark.parametrize("key", ["lbad", "bad", "trail"])
def test_no_lists(key):
    assert "cannot be interpreted" in sentence(lambda: VALUES.get_string_list("g", key))


def test_what_is_not_there():
    no_key = "Key file does not have key “nope” in group “g”"
    no_group = "Key file does not have group “nope”"
    for get in (VALUES.get_value, VALUES.get_string, VALUES.get_boolean, VALUES.get_int,
                VALUES.get_uint64, VALUES.get_string_list, VALUES.remove_key):  # fmt: skip
        assert sentence(lambda get=get: get("g", "nope")) == no_key
        assert sentence(lambda get=get: get("nope", "x")) == no_group
    assert sentence(lambda: VALUES.keys("nope")) == no_group
    assert sentence(lambda: VALUES.remove_group("nope")) == no_group
    with pytest.raises(KeyFileError) as caught:
        VALUES.get_string("g", "nope")
    assert caught.value.reason == "key-not-found"
    with pytest.raises(KeyFileError) as caught:
        VALUES.get_string("nope", "nope")
    assert caught.value.reason == "group-not-found"


def test_what_is_set_is_written_as_glib_writes_it():
    new = KeyFile()
    new.set_string("g", "a", " lead\ttab\nnl\\bs\rcr ;semi")
    new.set_string("g", "b", "  two")
    new.set_string_list("g", "l", ["a;b", "c d", " e", ""])
    new.set_boolean("g", "t", True)
    new.set_boolean("g", "f", False)
    new.set_value("g", "raw", r"x\y")
    new.set_int("h", "i", -5)
    new.set_string("g", "e", "")
    new.set_string_list("g", "le", [])
    new.set_string("g", "é", "ü")
    assert new.to_text() == (
        "[g]\na=\\slead\ttab\\nnl\\\\bs\\rcr ;semi\nb=\\s\\stwo\nl=a\\;b;c d;\\se;;\nt=true\nf=false\n"
        "raw=x\\y\ne=\nle=\né=ü\n\n[h]\ni=-5\n"
    )
    again = KeyFile.parse(new.to_text())
    assert again.get_string("g", "a") == " lead\ttab\nnl\\bs\rcr ;semi"
    assert again.get_string_list("g", "l") == ("a;b", "c d", " e", "")


def test_changes_leave_the_rest_alone():
    parsed = KeyFile.parse(CONFIG)
    parsed.set_string("core", "mode", "bare")
    parsed.set_boolean("core", "fsync", False)
    parsed.remove_key('remote "origin"', "branches")
    assert parsed.to_text() == (
        CONFIG.replace("archive-z2", "bare")
        .replace("percent=3\n", "percent=3\nfsync=false\n")
        .replace("branches=main;devel;\n", "")
    )
    parsed.remove_group('remote "origin"')
    assert parsed.groups() == ("core",)
    parsed.set_string("new", "k", "v")
    assert parsed.to_text().endswith("fsync=false\n\n[new]\nk=v\n")


def test_a_key_that_comes_twice():
    parsed = KeyFile.parse("[g]\nb=1\nb=2\n")
    assert parsed.keys("g") == ("b",)
    parsed.set_string("g", "b", "3")
    assert parsed.get_string("g", "b") == "3"
    parsed.remove_key("g", "b")
    assert not parsed.has_key("g", "b")


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("", "k", "v"),
        ("a]b", "k", "v"),
        ("a\nb", "k", "v"),
        ("a\udcff", "k", "v"),
        ("g", "", "v"),
        ("g", "a=b", "v"),
        ("g", " a", "v"),
        ("g", "a ", "v"),
        ("g", "a\nb", "v"),
        ("g", "[a]", "v"),
        ("g", "k\udcff", "v"),
        ("g", "k", "v\nw"),
        ("g", "k", "v\0"),
        ("g", "k", "\udcff"),
        ("g", "k", " v"),
        ("g", "k", "\fv"),
        ("g", "k", "v\r"),
    ],
)
def test_what_cannot_be_set(group, key, value):
    parsed = KeyFile()
    with pytest.raises(KeyFileError):
        parsed.set_value(group, key, value)
    assert parsed.to_text() == ""
