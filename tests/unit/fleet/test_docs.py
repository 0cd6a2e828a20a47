# SPDX-License-Identifier: Apache-2.0
"""The page about the server says all that there is to decide, and all that may be answered."""

from __future__ import annotations

import re
from pathlib import Path

from ostrya.fleet.settings import Database, Devices, Limits, Metadata, Server

TOP = Path(__file__).resolve().parents[3]
PAGE = (TOP / "docs" / "reference" / "fleet.md").read_text()
ROOM = TOP / "src" / "ostrya" / "fleet"
SECTIONS = {
    "server": Server, "database": Database, "devices": Devices, "metadata": Metadata,
    "limits": Limits,
}  # fmt: skip


def test_all_settings_and_what_they_usually_are():
    for name, kind in SECTIONS.items():
        section = PAGE.partition(f"### `[{name}]`")[2].partition("\n#")[0]
        found = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", section, re.MULTILINE))
        assert found.keys() == set(kind._fields), name
        for key, shown in found.items():
            usual = kind._field_defaults[key]
            if isinstance(usual, bool | int):
                assert shown == str(usual).lower(), key


def test_all_codes():
    listed = PAGE.partition("## Codes of errors")[2].partition("\n## ")[0]
    known = set(re.findall(r"`([a-z_]+)`", listed))
    used = set()
    for path in ROOM.rglob("*.py"):
        text = path.read_text()
        used |= set(re.findall(r'code="([a-z_]+)"', text))
        used |= set(re.findall(r'usual_code = "([a-z_]+)"', text))
        used |= set(re.findall(r'^_TIMED_OUT = "([a-z_]+)"', text, re.MULTILINE))
    text = (ROOM / "domain" / "manifests.py").read_text()
    used |= set(re.findall(r'^    \("[^"]+", "([a-z_]+)"\),$', text, re.MULTILINE))
    assert used - known == set()
