# SPDX-License-Identifier: Apache-2.0
"""Start-up is a feature: what ``rev-parse`` may load is counted, not timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, OURS_PATH, clean_environment
from support.serving import serving

# Modules loaded beyond those of a bare interpreter.
REV_PARSE_BUDGET = 70
TOO_HEAVY = {
    "argparse", "asyncio", "dataclasses", "inspect", "json", "logging", "multiprocessing", "pathlib",
    "rich", "shutil", "socket", "subprocess", "tempfile", "threading", "urllib", "deflate", "isal",
}  # fmt: skip


@pytest.fixture(scope="module")
def repo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("startup")
    trees.write(folder / "tree/file", b"x")
    OURS("init", f"--repo={folder / 'repo'}", "--mode=bare-user-only")
    OURS(
        f"--repo={folder / 'repo'}",
        "commit",
        "-b",
        "main",
        "--canonical-permissions",
        f"--tree=dir={folder / 'tree'}",
    )
    return folder / "repo"


def loaded_by(*arguments: str) -> set[str]:
    """Modules that a run of the installed launcher loads and a bare interpreter does not."""
    program = (
        "import runpy, sys\n"
        "before = set(sys.modules) | {'runpy', 'pkgutil', 'importlib.util', 'importlib.machinery', 'zipimport'}\n"
        "sys.argv = sys.argv[1:]\n"
        "import os\n"
        "path = sys.argv[0]\n"
        "real = os._exit\n"
        "def report(status):\n"
        "    print('\\nLOADED', *sorted(set(sys.modules) - before), flush=True)\n"
        "    real(status)\n"
        "os._exit = report\n"
        "code = compile(open(path).read(), path, 'exec')\n"
        "exec(code, {'__name__': '__main__', '__file__': path})\n"
    )
    argv = [sys.executable, "-c", program, str(OURS_PATH), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=clean_environment())
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return set(line.split()[1:])


def test_rev_parse_stays_within_its_budget(repo):
    loaded = loaded_by(f"--repo={repo}", "rev-parse", "main")
    assert len(loaded) <= REV_PARSE_BUDGET, sorted(loaded)


@pytest.mark.parametrize(
    "verb",
    [["rev-parse", "main"], ["refs"], ["cat", "main", "/file"], ["config", "get", "core.mode"]],
    ids=lambda v: v[0],
)
def test_short_verbs_load_nothing_heavy(repo, verb):
    loaded = loaded_by(f"--repo={repo}", *verb)
    assert not {name.partition(".")[0] for name in loaded} & TOO_HEAVY


def test_a_pull_of_nothing_new_loads_neither_deltas_nor_keys(repo, tmp_path):
    served, client = tmp_path / "served", tmp_path / "client"
    OURS("init", f"--repo={served}", "--mode=archive")
    OURS("pull-local", f"--repo={served}", repo)
    OURS("init", f"--repo={client}", "--mode=bare-user-only")
    with serving(served) as server:
        OURS(f"--repo={client}", "remote", "add", "--no-gpg-verify", "origin", server.url)
        words = [f"--repo={client}", "pull", "origin", "main"]
        OURS(*words)
        loaded = loaded_by(*words)
    rooms = {".".join(name.split(".")[:2]) for name in loaded}
    assert "ostrya.pull" in rooms
    assert "ostrya.delta" not in rooms
    assert not {"ostrya.sign.ed25519", "ostrya.sign.spki", "ostrya.fetch.metalink"} & loaded
    rarely_needed = {"logging", "subprocess", "random", "calendar", "locale"}
    assert not {name.partition(".")[0] for name in loaded} & rarely_needed


def test_a_refusal_is_as_light(repo):
    argv = [str(OURS_PATH), f"--repo={repo}", "rev-parse", "nothing"]
    env = clean_environment() | {"PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in done.stderr.splitlines()
        if "|" in line
    }
    assert not imported & TOO_HEAVY


SERVER = {"alembic", "httptools", "psycopg", "sqlalchemy", "starlette", "uvicorn", "uvloop"}


@pytest.mark.parametrize(
    "argv",
    [("--version",), ("ota", "run", "--help"), ("fleet", "--help"), ("fleet", "serve", "--help")],
)
def test_the_servers_libraries_are_loaded_for_the_server_alone(argv):
    assert not {name.partition(".")[0] for name in loaded_by(*argv)} & SERVER
