# SPDX-License-Identifier: Apache-2.0
"""How long the image builder takes from a root file system to a disk: no peer does the same."""

from __future__ import annotations

import itertools
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import measure

RUNS = 3
FULL, AGAIN = "build from nothing", "rebuild after one line of an overlay"
TARGETS_S = {FULL: 25.0, AGAIN: 5.0}
MEMORY_TARGET_BYTES = 300_000_000
MIB = 1024 * 1024
HEADINGS = (
    "step", "seconds", "target", "met", "CPU", "largest process, MiB", "whole tree, MiB",
    "measured",
)  # fmt: skip
_RECIPE = """\
name = "bench"
board = "qemu-x86_64"
outputs = ["raw"]
[source]
kind = "directory"
path = "{tree}"
[convert]
kernel = "newest"
[[overlays]]
path = "overlay"
"""


class ImageBench:
    """A recipe in a folder of its own."""

    def __init__(self, tool: str, tree: Path, folder: Path) -> None:
        """Write the recipe.

        Args:
            tool: Our program.
            tree: The root file system.
            folder: An empty folder.
        """
        self._folder = folder
        self._numbers = itertools.count()
        (folder / "overlay/etc").mkdir(parents=True)
        (folder / "recipe.toml").write_text(_RECIPE.format(tree=tree))
        # fmt: off
        self._argv = [
            tool, "image", "build", str(folder / "recipe.toml"), f"--output-dir={folder / 'out'}",
            f"--cache={folder / 'cache'}",
        ]
        # fmt: on
        self._change()

    def _change(self) -> None:
        (self._folder / "overlay/etc/bench").write_text(f"{next(self._numbers)}\n")

    def prepare(self, name: str) -> list[str]:
        """Make what a step needs; return its command line."""
        if name == FULL:
            shutil.rmtree(self._folder / "cache", ignore_errors=True)
        else:
            self._change()
        shutil.rmtree(self._folder / "out", ignore_errors=True)
        return self._argv


def measure_step(bench: ImageBench, name: str, settle: Callable[[], None]) -> dict[str, Any]:
    """Measure a step: the median of some runs, and memory in one of its own."""
    costs = []
    for _ in range(RUNS):
        argv = bench.prepare(name)
        settle()
        costs.append(measure(argv))
    peak = measure(bench.prepare(name), memory=True)
    return {
        "target_s": TARGETS_S[name],
        "wall_s": round(statistics.median(cost.wall_s for cost in costs), 2),
        "cpu_s": round(statistics.median(cost.cpu_s for cost in costs), 2),
        "largest_rss": peak.largest_rss,
        "tree_pss": peak.tree_pss,
    }


def one_line(name: str, row: dict[str, Any]) -> str:
    """A row as it is printed while measuring."""
    memory = max(row["largest_rss"], row["tree_pss"]) / MIB
    return (
        f"{name:<37} {row['wall_s']:6.2f} s (target {row['target_s']:g})"
        f"  cpu {row['cpu_s']:.2f} s  memory {memory:.0f} MiB"
    )


def page_lines(rows: dict[str, Any]) -> list[str]:
    """What the page says of the rows."""
    lines = ["## Images", "", "`make bench BENCH=--images`; a raw disk for `qemu-x86_64` of", ""]
    lines[-2] += " the same root file system."
    lines += ["| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|"]
    for name, row in rows.items():
        verdict = "yes" if row["wall_s"] <= row["target_s"] else "**no**"
        cells = (
            name, f"{row['wall_s']:.2f}", f"≤ {row['target_s']:g}", verdict, f"{row['cpu_s']:.2f}",
            f"{row['largest_rss'] / MIB:.0f}", f"{row['tree_pss'] / MIB:.0f}", row["date"],
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    most = max(max(row["largest_rss"], row["tree_pss"]) for row in rows.values())
    target = MEMORY_TARGET_BYTES / 1e6
    return [*lines, "", f"Memory: {most / 1e6:.0f} MB at most (target {target:.0f} MB).", ""]
