# SPDX-License-Identifier: Apache-2.0
"""Every fuzz target: its whole corpus, and 2,000 inputs made from it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location(
    "fuzz_run", Path(__file__).resolve().with_name("run.py")
)
assert SPEC is not None
assert SPEC.loader is not None
run = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(run)

CORPUS_LIMIT = 1 << 20


@pytest.mark.parametrize("name", run.target_names())
def test_target(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run.mutate_target(name, max(2000, len(run.seeds(name))), seed=20261121)
    assert outcome.failures == 0
    assert outcome.accepted > 0
    assert outcome.places > 1


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
