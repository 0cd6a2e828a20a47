# SPDX-License-Identifier: Apache-2.0
"""What the pages on formats draw and list is what the code reads and writes."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path

import pytest

from ostrya.formats import commit

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "formats"
# A line of bytes: two digits each, and an ellipsis for more of the byte before it.
DRAWING = re.compile(r"^    (?P<bytes>[0-9a-f]{2}(?: +(?:[0-9a-f]{2}|…))+)$", re.MULTILINE)


def drawings(text: str) -> list[tuple[str, bytes]]:
    """Pair every drawing with the first bytes that an example below it spells out."""
    found = []
    for match in DRAWING.finditer(text):
        below = doctest.DocTestParser().get_examples(text[match.end() :])
        data = next(spelled for example in below for spelled in spelled_bytes(example.source))
        found.append((match["bytes"], data))
    return found


def spelled_bytes(source: str) -> list[bytes]:
    """Give the value of every ``bytes.fromhex(…)`` in a statement."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    texts = [ast.unparse(call) for call in calls if ast.unparse(call.func) == "bytes.fromhex"]
    return [eval(text, {"__builtins__": {}, "bytes": bytes}) for text in texts]


def pattern(drawing: str) -> str:
    tokens = drawing.split()
    return "".join(
        f"(?:{tokens[at - 1]})+" if token == "…" else token for at, token in enumerate(tokens)
    )


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda p: p.stem)
def test_drawn_bytes_are_those_of_the_example(page):
    for drawing, data in drawings(page.read_text()):
        assert re.fullmatch(pattern(drawing), data.hex()), drawing


def test_there_are_drawings():
    assert sum(len(drawings(page.read_text())) for page in PAGES.glob("*.md")) >= 9


def test_a_stray_byte_is_seen():
    page = "    30 10 02 … 02\n\n>>> decode(bytes.fromhex('30 02 02 02'))\n"
    ((drawing, data),) = drawings(page)
    assert not re.fullmatch(pattern(drawing), data.hex())
    assert re.fullmatch(pattern(drawing.replace("10 ", "")), data.hex())


def test_the_table_of_commits_lists_every_known_key():
    _, _, table = (PAGES / "commit.md").read_text().partition("| key | type | what |")
    rows = [row for row in table.partition("\n\n")[0].splitlines() if row.startswith("| `")]
    listed = {key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])}
    known = {value for name, value in vars(commit).items() if name.startswith("KEY_")}
    assert listed == known
