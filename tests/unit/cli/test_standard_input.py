# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import sys

import pytest

from ostrya.cli.standard_input import standard_input
from ostrya.errors import OstryaError


def test_bytes_that_are_piped_in(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert standard_input().read() == b"\xff"


def test_nothing_is_there_to_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OstryaError, match="The standard input is closed"):
        standard_input()
