# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.table import VERBS, find_verb


def test_names_are_unique():
    for verbs in (VERBS, *(verb.verbs for verb in VERBS)):
        names = [verb.name for verb in verbs]
        assert len(names) == len(set(names))


def test_a_verb_is_a_group_or_has_a_module():
    assert all(bool(verb.module) != bool(verb.verbs) for verb in VERBS)


def test_find():
    assert find_verb(VERBS, "refs").module == "refs"
    assert find_verb(VERBS, "nope") is None
    assert find_verb(VERBS, None) is None


def test_help_lines_are_sentences_without_an_end():
    for verb in (*VERBS, *(member for group in VERBS for member in group.verbs)):
        assert verb.help[0].isupper()
        assert not verb.help.endswith(".")
