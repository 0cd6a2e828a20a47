# SPDX-License-Identifier: Apache-2.0
"""How many devices one server process answers, with whoever asks on the same processors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOAD = Path(__file__).resolve().parent / "load_fleet.py"
KINDS = {
    "connections kept": ("--kept",),
    "a new connection each, resumed": ("--resume",),
    "a new connection each": (),
}
TARGET_POLLS, TARGET_P99_MS, TARGET_MB = 200, 500, 300
HEADINGS = ("polls of 1000 devices", "polls a second", "target", "met", "p50, ms", "p99, ms",
            "server, cores", "server, MB", "errors", "measured")  # fmt: skip


def measure_kind(name: str) -> dict[str, Any]:
    """Load a server in a folder of its own."""
    argv = [sys.executable, str(LOAD), *KINDS[name]]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def one_line(name: str, row: dict[str, Any]) -> str:
    """A row as it is printed while measuring."""
    return (
        f"{name:<32} {row['polls_per_second']:6.1f} polls/s  p99 {row['p99_ms']:.0f} ms"
        f"  memory {row['server_rss_mb']:.0f} MB  errors {row['errors']}"
    )


def _met(row: dict[str, Any]) -> bool:
    return bool(
        row["polls_per_second"] >= TARGET_POLLS
        and row["p99_ms"] <= TARGET_P99_MS
        and row["server_rss_mb"] <= TARGET_MB
        and not row["errors"]
        and not row["database_locked"]
    )


def page_lines(rows: dict[str, Any]) -> list[str]:
    """What the page says of the rows."""
    target = f"≥ {TARGET_POLLS}"
    aims = f"{TARGET_POLLS} polls a second, a p99 of {TARGET_P99_MS} ms, and {TARGET_MB} MB"
    lines = [
        "## A server of a fleet",
        "",
        "`make bench BENCH=--fleet`. A poll is a manifest, signed anew, and all metadata of both",
        "repositories for a device that is up to date, over mutual TLS; whoever asks is on the",
        f"same machine. The target is {aims}.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|---" * len(HEADINGS) + "|",
    ]
    for name, row in rows.items():
        cells = (
            name, f"{row['polls_per_second']:.0f}", target, "yes" if _met(row) else "**no**",
            f"{row['p50_ms']:.0f}", f"{row['p99_ms']:.0f}", f"{row['server_cpu']:.2f}",
            f"{row['server_rss_mb']:.0f}", str(row["errors"]), row["when"][:10],
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]
