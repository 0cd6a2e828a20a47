# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.dispatch import load_command
from ostrya.cli.table_fleet import FLEET


def test_every_verb_has_a_module():
    members = [member for verb in FLEET for member in verb.verbs or (verb,)]
    assert [one.name for one in FLEET] == sorted(one.name for one in FLEET)
    for one in members:
        assert load_command(one).run, one.module
