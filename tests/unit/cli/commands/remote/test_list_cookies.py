# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_cookies(run, sample, schema):
    run.ok(sample.option, "remote", "add", "o", "http://x")
    assert run.ok(sample.option, "remote", "list-cookies", "o").out == ""
    run.ok(sample.option, "remote", "add-cookie", "o", "example.com", "/", "name", "value")
    lines = run.ok(sample.option, "remote", "list-cookies", "o").lines
    assert lines[:4] == ["--", "Domain: example.com", "Path: /", "Name: name"]
    assert lines[-1] == "Value: value"
    found = run.ok(sample.option, "remote", "list-cookies", "--json", "o").json()
    schema(found, "remote-list-cookies")
    assert (found[0]["name"], found[0]["value"]) == ("name", "value")


def test_errors(run, sample):
    assert run.fails(sample.option, "remote", "list-cookies") == "NAME must be specified"
