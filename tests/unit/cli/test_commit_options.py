# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.commit_options import OPTIONS


def test_the_short_ones_are_those_that_scripts_use():
    short = {option.short: option.name for option in OPTIONS if option.short}
    assert short == {
        "s": "subject",
        "m": "body",
        "F": "body-file",
        "e": "editor",
        "b": "branch",
        "P": "selinux-policy-from-base",
        "I": "devino-canonical",
    }


def test_what_is_not_shown():
    hidden = [option for option in OPTIONS if option.hidden]
    assert [option.name for option in hidden] == ["disable-fsync"]
