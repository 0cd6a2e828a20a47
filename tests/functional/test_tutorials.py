# SPDX-License-Identifier: Apache-2.0
"""The tutorials and the README say what works: their code is run from top to bottom."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, PEER_PATH, clean_environment

TOP = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((TOP / "docs" / "tutorials").glob("*.md"))
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda p: p.stem)
def test_tutorial_code_runs(page, tmp_path):
    program = tmp_path / "tutorial.py"
    program.write_text("\n".join(blocks(page, "python")))
    work = tmp_path / "work"
    work.mkdir()
    argv = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(
        argv, cwd=work, capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    if (work / "repo").exists() and PEER_PATH.exists():
        PEER("--repo=repo", "fsck", cwd=work)


def test_the_five_lines_of_the_readme_work(tmp_path):
    trees.plain_tree(tmp_path / "rootfs")
    lines = [
        line
        for line in blocks(TOP / "README.md", "sh")[1].splitlines()
        if line.startswith("ostrya")
    ]
    assert len(lines) == 5
    for line in lines:
        OURS(*shlex.split(line, comments=True)[1:], cwd=tmp_path)
    assert (tmp_path / "deploy/usr/bin/hello").exists()


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(TOP)))
def test_links_lead_somewhere(page):
    broken = [
        target
        for target in links(page)
        if "://" not in target and not target.startswith("#")
        and not (page.parent / target.partition("#")[0]).exists()
    ]  # fmt: skip
    assert not broken
