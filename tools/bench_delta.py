# SPDX-License-Identifier: Apache-2.0
"""The rows about static deltas: what making and applying one takes, and how large it is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ostrya.formats.delta_superblock import decode_superblock

PEER = "/usr/bin/ostree"
RELEASES = "releases"
# The gzipped ramdisk and the compressed kernel, which no patch shrinks, are below it.
WITHOUT_BOOT = "releases-without-boot"


class Workbench(Protocol):
    """The folder in which things are measured, and the trees."""

    tree: Path
    update: Path | None

    def path(self, name: str) -> Path:
        """A path in the work folder."""

    def remove(self, name: str) -> None:
        """Put something in the work folder out of the way."""


class DeltaRow(NamedTuple):
    """One measured command about a delta.

    Attributes:
        prepare: Makes the state the command needs, untimed; returns the command line for a tool.
        target: The largest ratio of times ours/peer that is good enough; None where none was set.
        size_target: The same for the bytes of the delta; None where nothing is made.
    """

    name: str
    prepare: Callable[[Any, str], list[str]]
    target: float | None
    size_target: float | None = None


def releases(bench: Workbench, name: str) -> str:
    """An archive with both releases as ref ``r``, committed by the peer once; its path."""
    repo = bench.path(name)
    if not repo.exists():
        unfinished = bench.path(f"{name}.new")
        run("init", f"--repo={unfinished}", "--mode=archive")
        skipped = bench.path("skipped")
        skipped.write_text("/boot\n")
        for tree in (bench.tree, bench.update or bench.tree):
            skip = [f"--skip-list={skipped}"] if name == WITHOUT_BOOT else []
            run("commit", f"--repo={unfinished}", "-b", "r", f"--tree=dir={tree}", *skip)
        unfinished.rename(repo)
    return str(repo)


def run(*words: str) -> None:
    """Run the peer."""
    subprocess.run([PEER, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def prepare_generate(name: str, *words: str) -> Callable[[Workbench, str], list[str]]:
    """Making a delta in an archive that has none."""

    def prepare(bench: Workbench, tool: str) -> list[str]:
        repo = releases(bench, name)
        shutil.rmtree(f"{repo}/deltas", ignore_errors=True)
        return [tool, f"--repo={repo}", "static-delta", "generate", *words, "r"]

    return prepare


def prepare_apply(bench: Workbench, tool: str) -> list[str]:
    """Applying the peer's delta to the first release."""
    repo = releases(bench, RELEASES)
    delta = bench.path("delta")
    if not delta.exists():
        delta.mkdir()
        words = ["static-delta", "generate", f"--repo={repo}", "r"]
        run(*words, f"--filename={delta}/superblock")
    client = bench.path("out")
    bench.remove("out")
    run("init", f"--repo={client}", "--mode=bare")
    first = subprocess.run(
        [PEER, "rev-parse", f"--repo={repo}", "r^"], check=True, capture_output=True, text=True
    ).stdout.strip()
    run("pull-local", f"--repo={client}", repo, first)
    return [tool, f"--repo={client}", "static-delta", "apply-offline", str(delta)]


def delta_bytes(bench: Workbench, row: DeltaRow) -> int:
    """Bytes to download for what a row has made: of all files, and of what is in none of them."""
    name = WITHOUT_BOOT if "without" in row.name else RELEASES
    made = [path for path in (bench.path(name) / "deltas").rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in made)
    for path in made:
        if path.name == "superblock":
            block, _ = decode_superblock(path.read_bytes())
            total += sum(fallback.size for fallback in block.fallbacks)
    return total


ROWS = (
    DeltaRow("delta of a release", prepare_generate(RELEASES), 0.25, 0.9),
    DeltaRow("delta of a release without /boot", prepare_generate(WITHOUT_BOOT), None, 0.75),
    DeltaRow("delta from scratch", prepare_generate(RELEASES, "--empty"), 0.5, 1.0),
    DeltaRow("apply a delta", prepare_apply, 0.7),
)
