# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_delete(run, sample):
    run.ok(sample.option, "remote", "add", "x", "http://x")
    run.ok(sample.option, "remote", "delete", "x")
    assert run.ok(sample.option, "remote", "list").out == ""


def test_one_that_is_not_there(run, sample):
    assert run.fails(sample.option, "remote", "delete", "x") == 'Remote "x" not found'
    run.ok(sample.option, "remote", "delete", "--if-exists", "x")
    assert run.fails(sample.option, "remote", "delete") == "NAME must be specified"
