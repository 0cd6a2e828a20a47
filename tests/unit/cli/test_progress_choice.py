# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys

import pytest

from ostrya.cli import progress_choice
from ostrya.cli.errors import UsageError
from ostrya.cli.progress_choice import choose_progress
from ostrya.cli.progress_jsonl import JsonLinesProgress
from ostrya.cli.progress_plain import PlainProgress
from ostrya.cli.progress_tty import TerminalProgress
from ostrya.progress import NULL_PROGRESS


def test_modes(monkeypatch):
    assert isinstance(choose_progress("json", no_color=False), JsonLinesProgress)
    assert isinstance(choose_progress("plain", no_color=False), PlainProgress)
    assert choose_progress("none", no_color=False) is NULL_PROGRESS
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert choose_progress("auto", no_color=False) is NULL_PROGRESS
    lines = choose_progress("auto", no_color=False, lines_elsewhere=True)
    assert isinstance(lines, PlainProgress)
    assert lines._quiet_s
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for lines_elsewhere in (False, True):
        bars = choose_progress("auto", no_color=False, lines_elsewhere=lines_elsewhere)
        assert isinstance(bars, TerminalProgress)


def test_a_device_without_bars(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress_choice, "find_spec", lambda _name: None)
    lines = choose_progress("auto", no_color=False)
    assert isinstance(lines, PlainProgress)
    assert lines._quiet_s
    assert choose_progress("none", no_color=False) is NULL_PROGRESS


@pytest.mark.parametrize("mode", ["plain", "json"])
def test_how_often(mode):
    assert choose_progress(mode, no_color=False, interval_s=7.0)._interval_s == 7.0


def test_no_such_mode(run, sample):
    assert "Unknown kind of progress 'x'" in run.fails(sample.option, "fsck", "--progress=x")
    with pytest.raises(UsageError):
        choose_progress("x", no_color=False)
