# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.options import flag, text
from ostrya.cli.usage import format_help, format_verbs
from ostrya.cli.verb import Verb


def test_layout_of_a_verb():
    options = (
        text("repo", "PATH", "Where it is"),
        flag("single", "Just one", short="S"),
        flag("secret", "Not shown", hidden=True),
    )
    assert format_help("ostree rev-parse", "REV", "Say what", options) == (
        "Usage:\n"
        "  ostree rev-parse [OPTION…] REV\n"
        "\n"
        "Say what\n"
        "\n"
        "Help Options:\n"
        "  -h, --help       Show help options\n"
        "\n"
        "Application Options:\n"
        "  --repo=PATH      Where it is\n"
        "  -S, --single     Just one\n"
        "\n"
    )


def test_no_parameters_and_no_options():
    assert format_help("ostree init", "", "", ()) == (
        "Usage:\n  ostree init [OPTION…]\n\nHelp Options:\n  -h, --help     Show help options\n\n"
    )


def test_list_of_verbs():
    verbs = (Verb("cat", "cat", "Show"), Verb("show-url", "x", "Print"))
    assert format_verbs(verbs) == (
        "Builtin Commands:\n  cat               Show\n  show-url          Print"
    )
    assert format_verbs(verbs, "remote").startswith('Builtin "remote" Commands:\n')


def test_a_letter_is_the_first_options_that_has_it():
    options = [
        flag("view", "Look", short="v"),
        flag("verbose", "Talk", short="v"),
    ]
    shown = format_help("ostrya summary", "", "", options)
    assert "-v, --view" in shown
    assert "  --verbose" in shown
    assert shown.count("-v,") == 1


def test_long_names_stand_apart():
    verbs = [Verb("a-verb-with-a-long-name", "x", "Do it"), Verb("go", "y", "Go")]
    assert format_verbs(verbs).splitlines()[1:] == [
        "  a-verb-with-a-long-name Do it",
        "  go                      Go",
    ]
