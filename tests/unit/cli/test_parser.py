# SPDX-License-Identifier: Apache-2.0
"""GOption's grammar, rule by rule; tests/functional compares the same lines with ``ostree``."""

from __future__ import annotations

import pytest

from ostrya.cli.errors import UsageError
from ostrya.cli.options import boolean, flag, number, optional_text, text, texts
from ostrya.cli.parser import HelpRequested, parse_arguments, take_verb

OPTIONS = (
    flag("quiet", "", short="q"),
    flag("all", "", short="a"),
    text("branch", "BRANCH", "", short="b"),
    text("subject", "SUBJECT", "", short="s"),
    texts("tree", "TREE", ""),
    number("owner-uid", "UID", ""),
    boolean("fsync", "POLICY", ""),
)


def parse(*argv: str):
    return parse_arguments(OPTIONS, argv)


def test_options_and_positionals_mix_freely():
    found = parse("one", "--branch=x", "two", "-q", "three")
    assert found.positionals == ["one", "two", "three"]
    assert found.text("branch") == "x"
    assert found.flag("quiet")
    assert not found.flag("all")


@pytest.mark.parametrize("argv", [["--branch=x"], ["--branch", "x"], ["-b", "x"], ["-qb", "x"]])
def test_value_follows_or_is_attached(argv):
    assert parse(*argv).text("branch") == "x"


def test_value_may_look_like_an_option():
    assert parse("--branch", "--quiet").text("branch") == "--quiet"
    assert parse("-b", "-q").text("branch") == "-q"


def test_value_may_be_empty_or_hold_equals_signs():
    assert parse("--branch=").text("branch") == ""
    assert parse("--tree=dir=a=b").texts("tree") == ["dir=a=b"]


def test_last_text_wins_and_texts_gather():
    found = parse("--branch=x", "--tree=a", "--branch=y", "--tree", "b")
    assert found.text("branch") == "y"
    assert found.texts("tree") == ["a", "b"]


def test_bundle_of_flags():
    found = parse("-qa")
    assert found.flag("quiet")
    assert found.flag("all")


def test_double_dash_ends_options_and_is_dropped_once():
    assert parse("a", "--", "-q", "--", "x").positionals == ["a", "-q", "--", "x"]


def test_a_single_dash_is_positional():
    assert parse("-").positionals == ["-"]


def test_flag_ignores_an_attached_value():
    assert parse("--quiet=no").flag("quiet")


def test_nothing_given():
    found = parse()
    assert found.text("branch") is None
    assert found.texts("tree") == []
    assert found.number("owner-uid") is None
    assert found.boolean("fsync") is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--foo"], "Unknown option --foo"),
        (["--foo=1"], "Unknown option --foo=1"),
        (["-x"], "Unknown option -x"),
        (["-qx"], "Unknown option -qx"),
        (["--bran"], "Unknown option --bran"),
        (["--branch"], "Missing argument for --branch"),
        (["-b"], "Missing argument for -b"),
        (["-bs", "x", "y"], "Error parsing option -s"),
        (["--owner-uid=x"], "Cannot parse integer value “x” for --owner-uid"),
        (["--owner-uid="], "Cannot parse integer value “” for --owner-uid"),
        (["--owner-uid=1_0"], "Cannot parse integer value “1_0” for --owner-uid"),
        (["--owner-uid=08"], "Cannot parse integer value “08” for --owner-uid"),
        (["--owner-uid=1 "], "Cannot parse integer value “1 ” for --owner-uid"),
        (["--owner-uid=0x"], "Cannot parse integer value “0x” for --owner-uid"),
        (["--owner-uid=+-1"], "Cannot parse integer value “+-1” for --owner-uid"),
        (["--owner-uid=٣"], "Cannot parse integer value “٣” for --owner-uid"),
        (["--owner-uid=2147483648"], "Integer value “2147483648” for --owner-uid out of range"),
        (["--fsync=maybe"], "Invalid boolean argument 'maybe'"),
    ],
)
def test_errors(argv, message):
    with pytest.raises(UsageError) as caught:
        parse(*argv)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("value", "number_"),
    [("7", 7), ("-1", -1), ("+5", 5), (" 3", 3), ("0x1F", 31), ("010", 8), ("0", 0), ("-0x2", -2)],
)
def test_integers_in_c_notation(value, number_):
    assert parse(f"--owner-uid={value}").number("owner-uid") == number_


@pytest.mark.parametrize(
    ("value", "truth"),
    [("1", True), ("YES", True), ("true", True), ("0", False), ("no", False), ("None", False)],
)
def test_booleans(value, truth):
    assert parse(f"--fsync={value}").boolean("fsync") is truth


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["-?"], ["-qh"], ["x", "--help-all"]])
def test_help_is_noticed(argv):
    with pytest.raises(HelpRequested):
        parse(*argv)


def test_what_is_wrong_before_help_is_told():
    with pytest.raises(UsageError):
        parse("--foo", "--help")


def test_first_declaration_of_a_name_wins():
    options = (flag("view", "", short="v"), flag("verbose", "", short="v"))
    found = parse_arguments(options, ["-v"])
    assert found.flag("view")
    assert not found.flag("verbose")


def test_an_undeclared_option_is_our_mistake():
    with pytest.raises(KeyError):
        parse().flag("nosuch")
    with pytest.raises(KeyError):
        parse().text("quiet")


@pytest.mark.parametrize(
    ("argv", "verb", "rest"),
    [
        (["refs"], "refs", []),
        (["--repo=r", "refs", "x"], "refs", ["--repo=r", "x"]),
        (["--repo", "r", "refs"], "refs", ["--repo", "r"]),
        (["-v", "--", "refs"], "refs", ["-v", "--"]),
        (["--version"], None, ["--version"]),
        ([], None, []),
    ],
)
def test_take_verb(argv, verb, rest):
    assert take_verb(argv) == (verb, rest)


def test_values_are_text_unless_they_are_paths():
    declared = (*OPTIONS, text("skip-list", "FILE", ""))
    for argv in (
        ["--subject=a\udcff"],
        ["-s", "a\udcff"],
        ["--subject", "\udcff"],
        ["-qs", "\ud800"],
    ):
        with pytest.raises(UsageError, match=r"The value of option -.* is not valid UTF-8"):
            parse_arguments(declared, argv)
    assert parse_arguments(declared, ["--skip-list=a\udcff"]).text("skip-list") == "a\udcff"
    assert parse("--subject=é😀").text("subject") == "é😀"


def test_a_value_that_may_be_left_out():
    options = [optional_text("plan", "HOW", "h"), flag("a", "h")]
    for words, value, positionals in (
        (["x"], None, ["x"]),
        (["--plan", "x"], "", ["x"]),
        (["--plan=how", "x"], "how", ["x"]),
    ):
        arguments = parse_arguments(options, words)
        assert arguments.optional_text("plan") == value
        assert arguments.positionals == positionals
    with pytest.raises(KeyError):
        arguments.text("plan")
