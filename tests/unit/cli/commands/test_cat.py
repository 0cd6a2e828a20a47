# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_contents_one_after_the_other(run, sample):
    assert run.ok(sample.option, "cat", "main", "/file", "link").out == "changed\ninner\n"


def test_bytes_come_as_they_are(run, sample, tree):
    data = bytes(range(256)) * 10
    (tree / "binary").write_bytes(data)
    run.ok(sample.option, "commit", "-b", "b", tree)
    found = run.ok(sample.option, "cat", "b", "binary").out
    assert found.encode("utf-8", "surrogateescape") == data


def test_errors(run, sample):
    assert run.fails(sample.option, "cat", "main", "/dir") == "Can't open directory: /dir"
    assert run.fails(sample.option, "cat", "main", "/x") == "No such file or directory: /x"
    message = run.fails(sample.option, "cat", "main")
    assert message == "A COMMIT and at least one PATH argument are required"
