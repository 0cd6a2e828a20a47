# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path


def test_a_cookie_is_written_into_the_jar(run, sample):
    run.ok(sample.option, "remote", "add-cookie", "o", "127.0.0.1", "/", "foo", "bar")
    run.ok(sample.option, "remote", "add-cookie", "o", "127.0.0.1", "/", "baz", "badger")
    jar = Path(sample.path, "o.cookies.txt").read_text().splitlines()
    assert [line.split("\t")[-2:] for line in jar] == [["foo", "bar"], ["baz", "badger"]]


def test_errors(run, sample):
    message = run.fails(sample.option, "remote", "add-cookie", "o", "d", "/", "n")
    assert message == "NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified"
