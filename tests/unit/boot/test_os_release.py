# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.errors import EntryInvalid
from ostrya.boot.os_release import parse_os_release, system_title


def test_variables():
    text = '# A=1\nID=x\nPRETTY_NAME="X OS 2"\n\nEMPTY=\nQUOTED=\'a $b\'\nBROKEN="\nno equals\nE=a\\ b\n'
    assert parse_os_release(text) == {
        "ID": "x", "PRETTY_NAME": "X OS 2", "EMPTY": "", "QUOTED": "a $b", "E": "a b",
    }  # fmt: skip


def test_titles():
    assert system_title({"ID": "x", "PRETTY_NAME": "X OS"}) == "X OS"
    assert system_title({"ID": "x"}) == "x"
    assert system_title({"PRETTY_NAME": "X OS"}, "2.0") == "X OS 2.0"
    assert system_title({"PRETTY_NAME": "X OS 2.0"}, "2.0") == "X OS 2.0"
    with pytest.raises(EntryInvalid, match="No PRETTY_NAME or ID"):
        system_title({"NAME": "x"})
