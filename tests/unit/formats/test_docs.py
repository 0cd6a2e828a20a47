# SPDX-License-Identifier: Apache-2.0
"""The pages on formats say what the modules say, and their examples are true."""

from __future__ import annotations

import doctest
import importlib
import re
import textwrap
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
PAGES = TOP / "docs" / "reference" / "formats"
SOURCE = TOP / "src" / "ostrya" / "formats"
# What has no layout of its own.
WITHOUT_LAYOUT = {"__init__.py", "errors.py", "toml_lines.py"}
MODULES = sorted(p for p in SOURCE.rglob("*.py") if p.name not in WITHOUT_LAYOUT)
FENCES = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def literal_blocks(docstring: str) -> list[str]:
    """The indented blocks that follow a "::", as they stand."""
    blocks = []
    for part in re.split(r"::\n\n", docstring)[1:]:
        lines = []
        for line in part.splitlines():
            if line and not line.startswith("    "):
                break
            lines.append(line)
        blocks.append(textwrap.dedent("\n".join(lines)).strip("\n"))
    return blocks


def page_of(path: Path) -> Path:
    """Where a module's layout stands: its own page, or that of its package."""
    if path.parent == SOURCE:
        return PAGES / f"{path.stem}.md"
    split = path.parent.name == "gvariant" and path.stem.startswith("text")
    return PAGES / ("gvariant_text.md" if split else f"{path.parent.name}.md")


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent.parent).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_layouts_are_those_of_the_modules(path):
    docstring = importlib.import_module(dotted(path)).__doc__
    blocks = literal_blocks(docstring)
    assert blocks or path.parent != SOURCE, f"{dotted(path)} draws no layout"
    fenced = [block.strip("\n") for block in FENCES.findall(page_of(path).read_text())]
    for block in blocks:
        assert block in fenced


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda p: p.name)
def test_examples(page):
    text = page.read_text()
    if page.name == "README.md":
        return
    found = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert found.examples, f"{page.name} has no example"
    out: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(found, out=out.append)
    assert result.failed == 0, "".join(out)


def test_the_index_names_every_page():
    index = (PAGES / "README.md").read_text()
    named = set(re.findall(r"\]\((\w+\.md)\)", index))
    assert named == {page.name for page in PAGES.glob("*.md")} - {"README.md"}
    assert named == {page_of(path).name for path in MODULES}
