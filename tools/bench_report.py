# SPDX-License-Identifier: Apache-2.0
"""Turn the numbers of ``bench.py`` into ``docs/benchmarks.md``."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import bench_fleet
import bench_image

INTRODUCTION = """# Benchmarks

`make bench` writes this page. It runs our commands and the installed `ostree` in turn on the same
Debian root file system: whole commands, warm cache, `sync` before each timing, the median of
interleaved pairs. Release 2 is the same installation with updates and security fixes, committed on
top of release 1. Ratio is ours / peer, wall clock; below 1 is faster. Memory is taken in a run of
its own: the largest resident set of one process, and the largest sum of proportional set sizes over
the whole process tree.
"""
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
MIB = 1024 * 1024


def machine(folder: Path, peer: str) -> dict[str, str]:
    """What the numbers were measured on; no names of hosts, no paths."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kib = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    version = subprocess.run([peer, "--version"], capture_output=True, text=True, check=True).stdout
    peer_version = re.search(r"Version: '([^']+)'", version)
    kernel = re.match(r"[0-9.]+", os.uname().release)
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(kib[1]) / 1024 / 1024:.0f} GiB" if kib else "?",
        "kernel": f"Linux {kernel[0] if kernel else ''}",
        "file system": filesystem_of(folder),
        "Python": platform.python_version(),
        "deflate, isal": ", ".join(importlib.metadata.version(n) for n in ("deflate", "isal")),
        "peer": f"ostree {peer_version[1] if peer_version else '?'}",
    }


def filesystem_of(folder: Path) -> str:
    """The type of the file system a folder is on."""
    argv = ["stat", "--file-system", "--format=%T", str(folder)]
    name = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    return "ext4" if name == "ext2/ext3" else name


def describe_tree(tree: Path) -> dict[str, int]:
    """How much there is in the tree."""
    counts = {"files": 0, "directories": 0, "symbolic links": 0, "bytes": 0}
    for folder, _dirs, files in os.walk(tree):
        counts["directories"] += 1
        for name in [*files, *_dirs]:
            info = os.lstat(os.path.join(folder, name))
            if stat.S_ISLNK(info.st_mode):
                counts["symbolic links"] += 1
            elif stat.S_ISREG(info.st_mode):
                counts["files"] += 1
                counts["bytes"] += info.st_size
    return counts


def one_line(name: str, row: dict[str, Any]) -> str:
    """A row as it is printed while measuring."""
    ours, peer = row["ours"], row["peer"]
    ratio = ours["wall_s"] / peer["wall_s"]
    target = f" (target {row['target']})" if row.get("target") else ""
    memory = max(ours.get("largest_rss", 0), ours.get("tree_pss", 0)) / MIB
    return (
        f"{name:<27} {ours['wall_s']:8.3f} s  peer {peer['wall_s']:8.3f} s  ratio {ratio:5.2f}"
        f"{target}  cpu {ours['cpu_s']:.2f}/{peer['cpu_s']:.2f} s  memory {memory:.0f} MiB"
    )


def table_row(name: str, row: dict[str, Any]) -> str:
    """A row of the page's table."""
    ours, peer = row["ours"], row["peer"]
    ratio = ours["wall_s"] / peer["wall_s"]
    target = row.get("target")
    verdict = "" if target is None else ("yes" if ratio <= target else "**no**")
    cells = [
        name,
        f"{ours['wall_s']:.2f}",
        f"{peer['wall_s']:.2f}",
        f"{ratio:.2f}",
        "" if target is None else f"≤ {target:g}",
        verdict,
        f"{ours['cpu_s']:.2f}",
        f"{peer['cpu_s']:.2f}",
        f"{ours['largest_rss'] / MIB:.0f}",
        f"{ours['tree_pss'] / MIB:.0f}",
        f"{peer['tree_pss'] / MIB:.0f}",
        row["date"],
    ]
    return "| " + " | ".join(cells) + " |"


HEADINGS = (
    "command", "ours, s", "peer, s", "ratio", "target", "met", "CPU ours", "CPU peer",
    "largest process ours, MiB", "whole tree ours, MiB", "peer, MiB", "measured",
)  # fmt: skip


def table(rows: dict[str, Any]) -> list[str]:
    """The heading and the rows, but for short commands, which have sentences of their own."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|"]
    return lines + [table_row(name, row) for name, row in rows.items() if "target_cpu_s" not in row]


def tree_sentence(tree: dict[str, int]) -> str:
    """What was committed."""
    return (
        f"The tree: {tree['files']:,} files, {tree['directories']:,} directories, "
        f"{tree['symbolic links']:,} symbolic links, {tree['bytes'] / 1e6:,.0f} MB."
    )


def object_sentence(row: dict[str, Any]) -> str:
    """What the archive's content objects weigh."""
    ours, peer = row["ours"]["object_bytes"], row["peer"]["object_bytes"]
    return (
        f"Content objects of the archive: {ours:,} bytes ours, {peer:,} the peer's "
        f"(ratio {ours / peer:.3f}; target ≤ 1)."
    )


def delta_sentences(rows: dict[str, Any]) -> list[str]:
    """What the deltas weigh."""
    lines = []
    for name, row in rows.items():
        if "size_target" in row:
            ours, peer = row["ours"]["delta_bytes"], row["peer"]["delta_bytes"]
            lines += [
                (
                    f"{name.capitalize()}: {ours:,} bytes ours, {peer:,} the peer's "
                    f"(ratio {ours / peer:.3f}; target ≤ {row['size_target']})."
                ),
                "",
            ]
    return lines


def cpu_sentence(name: str, row: dict[str, Any]) -> str:
    """What a short command costs."""
    ours, peer = (row[who]["cpu_s"] * 1000 for who in ("ours", "peer"))
    target = row["target_cpu_s"] * 1000
    return f"`ostrya {name}`: {ours:.0f} ms of CPU (target {target:.0f}); the peer {peer:.0f}."


def many_sentence(row: dict[str, Any]) -> str:
    """What a pull of very many files needed of memory."""
    ours, target = (number / 1e6 for number in (row["ours"]["tree_pss"], row["target_bytes"]))
    return f"Memory of all our processes: {ours:.0f} MB at most (target {target:.0f} MB)."


def write_page(results: dict[str, Any]) -> None:
    """Write the page from the merged numbers."""
    rows = results.get("rows", {})
    lines = [
        INTRODUCTION,
        tree_sentence(results["tree"]),
        "",
        "| machine | |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in results["machine"].items()),
        "",
        "## Real tree",
        "",
        *table(rows),
        "",
    ]
    if "object_bytes" in rows.get("commit to archive", {}).get("ours", {}):
        lines += [object_sentence(rows["commit to archive"]), ""]
    lines += delta_sentences(rows)
    for name, row in rows.items():
        if "target_cpu_s" in row:
            lines += [cpu_sentence(name, row), ""]
    if "many" in results:
        lines += ["## A million files", "", "`make bench BENCH=--many`; one pair.", ""]
        lines += [*table(results["many"]), "", many_sentence(*results["many"].values()), ""]
    if "images" in results:
        lines += bench_image.page_lines(results["images"])
    if "fleet" in results:
        lines += bench_fleet.page_lines(results["fleet"])
    if "big" in results:
        lines += ["## One file of 4 GiB", "", "`make bench BENCH=--big`; one pair each.", ""]
        lines += [*table(results["big"]), ""]
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("\n".join(lines))
