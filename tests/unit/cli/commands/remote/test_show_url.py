# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_show_url(run, sample, schema):
    run.ok(sample.option, "remote", "add", "x", "http://x")
    assert run.ok(sample.option, "remote", "show-url", "x").out == "http://x\n"
    assert run.ok(sample.option, "remote", "show-url", "file:///y").out == "file:///y\n"
    found = run.ok(sample.option, "remote", "show-url", "--json", "x").json()
    schema(found, "remote-show-url")


def test_errors(run, sample):
    assert run.fails(sample.option, "remote", "show-url") == "NAME must be specified"
    assert run.fails(sample.option, "remote", "show-url", "x") == 'Remote "x" not found'
