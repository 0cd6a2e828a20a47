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
    """

    name: str
    arguments: tuple[str, ...]
    introduction: str
    headings: tuple[str, ...]


def run(full: FullRun) -> int:
    """Run, write the page, and return how many failed, or pytest's status."""
    report = TOP / "build" / f"{full.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "pytest", *full.arguments, f"--junitxml={report}"]
    done = subprocess.run(argv, cwd=TOP, check=False)
    return max(write_page(full, report), done.returncode)


def write_page(full: FullRun, report: Path) -> int:
    """Write the table; return how many tests failed."""
    rows, failed = [], 0
    for case in ET.parse(report).iter("testcase"):
        result = "passed"
        if case.find("failure") is not None or case.find("error") is not None:
            result, failed = "**failed**", failed + 1
        elif case.find("skipped") is not None:
            result = "skipped"
        told = next((p.get("value", "") for p in case.iter("property")), None)
        name = case.get("name", "").removeprefix("test_")
        cells = told.split("|") if told else [name, *[""] * (len(full.headings) - 1)]
        rows.append(table_line(*cells, result, f"{float(case.get('time', 0)):.0f}"))
    headings = (*full.headings, "result", "seconds")
    day = datetime.datetime.now(datetime.UTC).date()
    lines = [full.introduction, f"Run on {day.isoformat()}.", ""]
    lines += [table_line(*headings), "|---" * len(headings) + "|", *rows, ""]
    (TOP / "docs" / f"{full.name}.md").write_text("\n".join(lines))
    return failed


def table_line(*cells: str) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"
