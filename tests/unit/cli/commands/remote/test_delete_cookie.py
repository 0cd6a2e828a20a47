# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_one_cookie_goes(run, sample):
    for name in ("a", "b"):
        run.ok(sample.option, "remote", "add-cookie", "o", "d", "/", name, "v")
    run.ok(sample.option, "remote", "delete-cookie", "o", "d", "/", "a")
    found = run.ok(sample.option, "remote", "list-cookies", "--json", "o").json()
    assert [cookie["name"] for cookie in found] == ["b"]


def test_errors(run, sample):
    run.fails(sample.option, "remote", "delete-cookie", "o", "d", "/", "a")
    message = run.fails(sample.option, "remote", "delete-cookie", "o")
    assert message == "NAME, DOMAIN, PATH and COOKIE_NAME must be specified"
