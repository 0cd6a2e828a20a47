# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_get_set_unset(run, sample):
    config = (sample.option, "config")
    assert run.ok(*config, "get", "core.mode").out == "archive-z2\n"
    run.ok(*config, "--", "set", "core.lock-timeout-secs", "-1")
    assert run.ok(*config, "get", "core.lock-timeout-secs").out == "-1\n"
    run.ok(*config, "unset", "core.lock-timeout-secs")
    message = run.fails(*config, "get", "core.lock-timeout-secs")
    assert message == "Key file does not have key “lock-timeout-secs” in group “core”"


def test_groups_with_blanks(run, sample):
    config = (sample.option, "config", '--group=remote "x"')
    run.ok(*config, "set", "xa.title", " A title; of it")
    assert run.ok(*config, "get", "xa.title").out == " A title; of it\n"
    run.ok(*config, "unset", "nope")
    run.ok(sample.option, "config", "--group=nope", "unset", "nope")


def test_comments_stay(run, sample):
    with (sample.path / "config").open("a") as config:
        config.write("# a remark\n")
    run.ok(sample.option, "config", "set", "core.x", "y")
    assert "# a remark\n" in (sample.path / "config").read_text()


def test_a_setting_that_cannot_be_used_is_refused(run, sample):
    before = (sample.path / "config").read_text()
    assert "bogus" in run.fails(sample.option, "config", "set", "core.mode", "bogus")
    assert (sample.path / "config").read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "OPERATION must be specified"),
        (["get"], "KEY must be specified"),
        (["set", "core.x"], "KEY and VALUE must be specified"),
        (["--group=core", "set", "x"], "GROUP name, KEY and VALUE must be specified"),
        (["--group=core", "get"], "Group name and key must be specified"),
        (["get", "core"], 'Key must be of the form "sectionname.keyname"'),
        (["get", "core.mode", "x"], "Too many arguments given"),
        (["set", "core.x", "y", "z"], "Too many arguments given"),
        (["frob"], "Unknown operation frob"),
    ],
)
def test_usage(run, sample, words, message):
    assert run.fails(sample.option, "config", *words, status=2) == message


def test_json(run, sample, schema):
    found = run.ok(sample.option, "config", "get", "--json", "core.mode").json()
    schema(found, "config")
    assert found == {"group": "core", "key": "mode", "value": "archive-z2"}


def test_what_is_not_text_is_refused(run, sample):
    before = (sample.path / "config").read_bytes()
    message = run.fails(sample.option, "config", "set", "x.y", "a\udcff", status=2)
    assert message == "VALUE is not valid UTF-8"
    message = run.fails(sample.option, "remote", "add", "n", "http://a\udcff", status=2)
    assert message == "An argument is not valid UTF-8"
    assert (sample.path / "config").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[core\n", "Key file contains line"),
        ("[core]\nrepo_version=1\nmode=weird\n", "Invalid mode 'weird'"),
        ("[core]\nrepo_version=1\nfsync=maybe\n", "Key file contains key “fsync”"),
        ("", "Invalid repository version ''"),
    ],
)
def test_a_broken_config_is_named(run, sample, text, sentence):
    (sample.path / "config").write_text(text)
    assert run.fails(sample.option, "refs").startswith(f"{sample.path}/config: {sentence}")


@pytest.mark.parametrize(
    "words",
    [
        ["config", "set", "core.x", "y"], ["config", "unset", "core.mode"],
        ["refs", "main", "--create=x"], ["refs", "--delete", "main"],
        ["remote", "add", "n", "u"], ["remote", "delete", "n"],
        ["fsck", "--delete"], ["fsck", "--add-tombstones"], ["summary", "-u"],
    ],
)  # fmt: skip
def test_no_permission_names_the_place(run, sample, words, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_args, **_kwargs: False)
    message = run.fails(sample.option, *words)
    assert message == f"{sample.path}/objects: Permission denied"
    run.ok(sample.option, "config", "get", "core.mode")
