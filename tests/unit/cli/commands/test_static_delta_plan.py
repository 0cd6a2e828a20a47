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


def test_what_is_not_there_may_be_tried(run, sample, schema):
    argv = ("static-delta", "plan", sample.option, f"--from-each-of={sample.first}", "--try")
    assert ", not there yet\n" in run.ok(*argv, sample.second).out
    found = run.ok(*argv, "--empty", "--json", sample.second).json()
    schema(found, "static-delta-plan")
    kinds = {route["kind"]: route["tried"] for plan in found for route in plan["routes"]}
    assert kinds == {"objects": False, "delta": True, "from scratch": True}
    assert run.ok("static-delta", "list", sample.option).out == "(No static deltas)\n"
