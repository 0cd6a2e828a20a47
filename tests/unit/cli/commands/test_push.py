# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

SCHEMA = Path(__file__).resolve().parents[4] / "docs" / "reference" / "json" / "push.json"


def test_pushed(run, sample, tmp_path):
    out = tmp_path / "out"
    lines = run.ok(sample.option, "push", out, "main").lines
    assert lines[0].startswith("main: ")
    assert lines[0].endswith(" (new)")
    assert lines[1].startswith("5 metadata, ") or " content objects sent; " in lines[1]
    run.ok(f"--repo={out}", "fsck", "-q")
    assert run.ok(sample.option, "push", out, "main").lines[0].endswith(" (unchanged)")
    run.ok(sample.option, "reset", "main", "main^")
    message = run.fails(sample.option, "push", out, "main", status=20)
    assert "no ancestor" in message
    line = run.ok(sample.option, "push", "--force", out, "main").lines[0]
    assert " -> " in line
    assert line.endswith(" (forced)")


def test_a_dry_run(run, sample, tmp_path):
    out = tmp_path / "out"
    lines = run.ok(sample.option, "push", "-n", out, "main").lines
    assert lines[-1].startswith("Would send ")
    assert not out.exists()


def test_json(run, sample, tmp_path):
    schema = json.loads(SCHEMA.read_text())
    for options in (["-n"], ["--summary"], []):
        found = run.ok(sample.option, "push", *options, "--json", tmp_path / "out", "main").json()
        jsonschema.validate(found, schema)
    assert found["summary"] == "written"


def test_all_refs(run, sample, tmp_path):
    run.ok(sample.option, "refs", "--create=other", "main")
    options = ["--all", "--disable-verify-bindings"]
    assert len(run.ok(sample.option, "push", *options, tmp_path / "out").lines) == 3
    assert run.ok(f"--repo={tmp_path / 'out'}", "refs").lines == ["main", "other"]


def test_a_summary_that_is_signed(run, sample, tmp_path):
    out = tmp_path / "out"
    run.ok(sample.option, "push", "--summary", out, "main")
    (out / "summary.sig").write_bytes(b"sig")
    assert "The summary there is signed" in run.ok(sample.option, "push", out, "main").err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "TARGET must be specified"),
        (["out"], "At least one REF must be specified"),
        (["--all", "out", "main"], "not both"),
        (["--jobs=0", "out", "main"], "Invalid number of jobs 0"),
        (["--copy-summary", "--summary", "out", "main"], "--copy-summary does not go with"),
    ],
)
def test_mistakes(run, sample, arguments, words):
    assert words in run.fails(sample.option, "push", *arguments, status=2)


def test_addresses_and_refs_that_are_none(run, sample, tmp_path):
    assert "ftp is not known" in run.fails(sample.option, "push", "ftp://x/y", "main", status=20)
    run.fails(sample.option, "push", tmp_path / "out", "nothing", status=20)
