# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.verb import Repo, Verb


def test_what_is_usual():
    verb = Verb("refs", "refs", "List refs")
    assert verb.repo is Repo.OPEN
    assert not any((verb.reads, verb.writes, verb.takes_long, verb.hidden, verb.verbs))
