# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_plan(run, sample, schema):
    run.ok("static-delta", "generate", sample.option, sample.second)
    out = run.ok("static-delta", "plan", sample.option, sample.second).out
    assert out.startswith(f"From {sample.first} to {sample.second}:\n")
    assert "  delta  " in out
    assert "  objects  " in out
    argv = ("static-delta", "plan", sample.option, f"--from-each-of={sample.first}", "--empty")
    found = run.ok(*argv, "--json", sample.second).json()
    schema(found, "static-delta-plan")
    assert [plan["from"] for plan in found] == [sample.first, None]


def test_needs_a_commit(run, sample):
    failed = run("static-delta", "plan", sample.option)
    assert "TO revision must be specified" in failed.err
