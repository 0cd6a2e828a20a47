# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_back_and_forth(run, sample):
    run.ok(sample.option, "reset", "main", "main^")
    assert run.ok(sample.option, "rev-parse", "main").out.strip() == sample.first
    run.ok(sample.option, "reset", "main", sample.second)
    assert run.ok(sample.option, "rev-parse", "main").out.strip() == sample.second


def test_errors(run, sample):
    assert run.fails(sample.option, "reset", "main") == "A REF and COMMIT argument is required"
    assert run.fails(sample.option, "reset", "nope", "main") == "Invalid ref 'nope'"
    assert run.fails(sample.option, "reset", "main", "nope") == "Refspec 'nope' not found"
