# SPDX-License-Identifier: Apache-2.0
"""The table beside other image builders: each row of ours names a command or a key that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "explanation/image-builders.md"
KEYS = (DOCS / "reference/recipe.md").read_text()
VERBS = "".join(path.read_text() for path in (DOCS / "reference/cli").glob("*.md"))


def rows() -> dict[str, str]:
    """What each row is about, and what it says of us."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]
    return {row[0]: row[-1] for row in cells}


@pytest.mark.parametrize("row", rows())
def test_each_row_has_its_command(row):
    ours = rows()[row]
    spans = re.findall(r"`([^`]+)`", ours)
    assert spans or ours == "not here"
    for span in spans:
        if words := re.match(r"ostrya ((?:[a-z-]+ )*[a-z-]+)(?![\w.])", span):
            assert f"ostrya {words[1]}" in VERBS, span
        elif table := re.match(r"\[+([a-z_]+)\]+", span):
            assert table[1] in KEYS, span
        elif key := re.match(r"([a-z_]+) = ", span):
            assert f"`{key[1]}`" in KEYS, span
