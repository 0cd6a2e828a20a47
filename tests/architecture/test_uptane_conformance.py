# SPDX-License-Identifier: Apache-2.0
"""``docs/reference/uptane-conformance.md`` names code and tests that exist, and all rules."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
from pathlib import Path

import pytest

from ostrya.uptane import checks

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs" / "reference" / "uptane-conformance.md").read_text()
ROWS = re.findall(r"^\| ([\d.() ]+) \| (.+?) \| `(.+?)` \| `(.+?)::(\w+)` \|$", PAGE, re.MULTILINE)


@functools.cache
def functions(path: str) -> set[str]:
    tree = ast.parse((TOP / "tests" / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_is_read():
    lines = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    assert len(ROWS) == len(lines) > 60


@pytest.mark.parametrize(("section", "what", "code", "path", "test"), ROWS)
def test_code_and_test_exist(section, what, code, path, test):
    parts = code.split(".")
    room = "ostrya" if parts[0] == "fleet" else "ostrya.uptane"
    for size in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join([room, *parts[:size]]))
        except ModuleNotFoundError:
            continue
        for name in parts[size:]:
            found = getattr(found, name)
        break
    else:
        pytest.fail(code)
    assert test in functions(path)


def test_every_rule_is_on_the_page():
    """And each is one that a test takes away."""
    rules = {
        name
        for name, one in inspect.getmembers(checks, inspect.isfunction)
        if one.__module__ == checks.__name__
    }
    assert rules == {name for name in rules if f"checks.{name}`" in PAGE}
    attacks = "".join(
        (TOP / "tests/unit/uptane" / name).read_text()
        for name in ("test_attacks.py", "test_partial_verification.py")
    )
    assert {name for name in rules if f'"{name}"' not in attacks} == set()
