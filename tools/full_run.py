# SPDX-License-Identifier: Apache-2.0
"""Run tests that are too long for ``make test``, and keep what they told as a page."""

from __future__ import annotations

import datetime
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class FullRun:
    """Tests, and the page they fill.

    Attributes:
        name: The page's name below ``docs``, without its suffix.
        arguments: What pytest is given.
        introduction: The page's text before the date.
        headings: Of the columns that a test fills by recording the property ``told``, with a bar
            between them; the result and the seconds follow.
        in_parts: Whether a run may be of some tests only: rows of the page that it does not make
            stay, and each has the date of its run.
    """

    name: str
    arguments: tuple[str, ...]
    introduction: str
    headings: tuple[str, ...]
    in_parts: bool = False

    @property
    def page(self) -> Path:
        """Where the page is."""
        return TOP / "docs" / f"{self.name}.md"


def run(full: FullRun) -> int:
    """Run, write the page, and return how many failed, or pytest's status."""
    report = TOP / "build" / f"{full.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "pytest", *full.arguments, f"--junitxml={report}"]
    done = subprocess.run(argv, cwd=TOP, check=False)
    return max(write_page(full, report), done.returncode)


def write_page(full: FullRun, report: Path) -> int:
    """Write the table; return how many tests failed."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = read_rows(full) if full.in_parts else {}
    failed = 0
    for case in ET.parse(report).iter("testcase"):
        if not case.get("name"):
            # One that was under way when somebody ended the run.
            continue
        result = "passed"
        if case.find("failure") is not None or case.find("error") is not None:
            result, failed = "**failed**", failed + 1
        elif case.find("skipped") is not None:
            if full.in_parts:
                continue
            result = "skipped"
        told = next((p.get("value", "") for p in case.iter("property")), None)
        name = case.get("name", "").removeprefix("test_")
        cells = tuple(told.split("|") if told else [name, *[""] * (len(full.headings) - 1)])
        ending = (result, f"{float(case.get('time', 0)):.0f}")
        rows[cells] = (*ending, day) if full.in_parts else ending
    lines = [full.introduction]
    lines += [] if full.in_parts else [f"Run on {day}.", ""]
    headings = (*full.headings, "result", "seconds", *(["date"] if full.in_parts else []))
    lines += [table_line(*headings), "|---" * len(headings) + "|"]
    lines += [table_line(*cells, *ending) for cells, ending in rows.items()]
    full.page.write_text("\n".join([*lines, ""]))
    return failed


def read_rows(full: FullRun) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Read what the page has: what was done, and how it ended."""
    lines = full.page.read_text().splitlines() if full.page.exists() else []
    table = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in lines
        if line.startswith("| ")
    ]
    width = len(full.headings)
    # The first line has the headings.
    return {cells[:width]: cells[width:] for cells in table[1:]}


def table_line(*cells: str) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"
