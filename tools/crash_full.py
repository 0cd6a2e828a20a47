# SPDX-License-Identifier: Apache-2.0
"""Run the crash tests at every point, and write ``docs/crash-tests.md`` from what they told."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
REPORT = TOP / "build" / "crash-full.xml"
PAGE = TOP / "docs" / "crash-tests.md"
INTRODUCTION = """# Crash tests: the last full run

`make crash-full` writes this page. Every scene is stopped with SIGKILL by turns: in one process at
every rename, link and fsync (and unlink, where it deletes); with forked workers, which make each
call hundreds of times, at an even share of 16 of each, counted in each process, and all are stopped
by the first to reach it. Or it is run with every number of free blocks from none to more than it
needs, on a small ext4. After each: Debian's `ostree fsck` passes, every ref is old or new, the same
command run again succeeds, and both tools find the result whole, with just the objects of a run
that nobody disturbed. `make test` takes all points of one process, and 8 of each call of the
others.
"""


def write_page(report: Path) -> int:
    """Write the table; return how many scenes failed."""
    rows, failed = [], 0
    for case in ET.parse(report).iter("testcase"):
        result = "passed"
        if case.find("failure") is not None or case.find("error") is not None:
            result, failed = "**failed**", failed + 1
        elif case.find("skipped") is not None:
            result = "skipped"
        told = next((p.get("value", "") for p in case.iter("property")), None)
        name = re.sub(r"^test_", "", case.get("name", ""))
        cells = told.split("|") if told else [name, "", ""]
        rows.append("| " + " | ".join([*cells, result, f"{float(case.get('time', 0)):.0f}"]) + " |")
    lines = [INTRODUCTION, f"Run on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}.", ""]
    lines += ["| scene | done | of | result | seconds |", "|---|---|---|---|---|", *rows, ""]
    PAGE.write_text("\n".join(lines))
    return failed


def main() -> int:
    """Run, write, and fail if anything failed."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "pytest", "-n", "2", "tests/crash", "--crash-full"]
    done = subprocess.run([*argv, f"--junitxml={REPORT}"], cwd=TOP, check=False)
    return max(write_page(REPORT), done.returncode)


if __name__ == "__main__":
    sys.exit(main())
