# SPDX-License-Identifier: Apache-2.0
"""Every fuzz target: its whole corpus, and 2,000 inputs made from it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().with_name("run.py")
SPEC = importlib.util.spec_from_file_location("fuzz_run", PROGRAM)
assert SPEC is not None
assert SPEC.loader is not None
run = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(run)

CORPUS_LIMIT = 1 << 20


@pytest.mark.parametrize("name", run.target_names())
def test_target(name, tmp_path):
    """In a process of its own, which has the limits of the runner."""
    runs = max(2000, len(run.seeds(name)))
    argv = [sys.executable, str(PROGRAM), "--no-atheris", f"--runs={runs}", "--seed=20261121", name]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _, inputs, accepted, places, failures, _ = done.stdout.splitlines()[-1].replace(",", "").split()
    assert (int(inputs), int(failures)) == (runs, 0)
    assert int(accepted) > 0
    assert int(places) > 1


@pytest.mark.parametrize("name", run.target_names())
def test_corpus(name):
    """Seeds that the target takes are there, and some that it refuses."""
    endings = {run.ending(run.load(name), data)[0] for data in run.seeds(name)}
    assert "value" in endings
    assert len(endings) > 1


def test_the_corpus_is_small_and_of_targets():
    folders = {path.name for path in run.CORPUS.iterdir()}
    assert folders == set(run.target_names())
    assert sum(p.stat().st_size for p in run.CORPUS.rglob("*") if p.is_file()) < CORPUS_LIMIT


def test_a_failing_target_is_reported(tmp_path, monkeypatch, capsys):
    """The runner tells a failure from an error that a decoder may raise."""

    def broken(data: bytes) -> object:
        raise ValueError("not a FormatError")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "load", lambda _name: broken)
    outcome = run.mutate_target("dirmeta", 5, seed=1)
    assert outcome.failures == 5
    assert "dirmeta fails on" in capsys.readouterr().err
    assert any(path.name.startswith("crash-dirmeta-") for path in tmp_path.iterdir())


LIMITED = """\
import sys
sys.path.insert(0, {folder!r})
import run
run.HANG_SECONDS = 1
run.set_limits()
def endless(data):
    while True:
        pass
targets = {{"endless": endless, "huge": lambda data: bytearray(2 << 30)}}
run.load = targets.get
sys.exit(run.mutate_target({name!r}, 1, seed=1).failures)
"""


@pytest.mark.parametrize(("name", "error"), [("endless", "TimeoutError"), ("huge", "MemoryError")])
def test_limits(name, error, tmp_path):
    program = LIMITED.format(folder=str(PROGRAM.parent), name=name)
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert error in done.stderr


def test_atheris_has_the_same_limits():
    options = run.atheris_options(7, seed=1)
    assert {"-runs=7", "-seed=1", "-timeout=20", "-rss_limit_mb=1024"} == set(options)
