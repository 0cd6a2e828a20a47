# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.environment import parse_source_date_epoch, read_environment
from ostrya.cli.errors import UsageError

EDITORS = ("OSTREE_EDITOR", "VISUAL", "EDITOR", "TERM")


@pytest.mark.parametrize(
    ("variables", "editor"),
    [
        ({"OSTREE_EDITOR": "a", "VISUAL": "b", "EDITOR": "c", "TERM": "xterm"}, "a"),
        ({"VISUAL": "b", "EDITOR": "c", "TERM": "xterm"}, "b"),
        ({"VISUAL": "b", "EDITOR": "c", "TERM": "dumb"}, "c"),
        ({"EDITOR": "c"}, "c"),
        ({"TERM": "xterm"}, "vi"),
        ({"TERM": "dumb"}, ""),
        ({}, ""),
    ],
)
def test_editor(monkeypatch, variables, editor):
    for name in EDITORS:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read_environment().editor == editor


def test_values(monkeypatch):
    monkeypatch.setenv("OSTREE_REPO", "/r")
    monkeypatch.setenv("OSTREE_SKIP_CACHE", "1")
    monkeypatch.setenv("OSTREE_BOOTID", "id")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HOME", "/home/me")
    found = read_environment()
    assert (found.repo, found.skip_cache, found.boot_id, found.no_color) == ("/r", True, "id", True)
    assert found.source_date_epoch is None
    assert found.home == "/home/me"


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("1234567890", 1234567890), (" 5x", 5)])
def test_source_date_epoch(text, value):
    assert parse_source_date_epoch(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("invalid", "Failed to convert SOURCE_DATE_EPOCH"),
        ("", "Failed to convert SOURCE_DATE_EPOCH"),
        ("12345678901234567890", "Parsing SOURCE_DATE_EPOCH: Numerical result out of range"),
    ],
)
def test_what_is_no_time(text, message):
    with pytest.raises(UsageError) as caught:
        parse_source_date_epoch(text)
    assert caught.value.message == message
