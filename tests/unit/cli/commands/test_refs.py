# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def refs(run, sample):
    for name in ("os/a", "os/b", "other", "origin:os/r"):
        run.ok(sample.option, "refs", "main", f"--create={name}")
    return sample


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["main", "origin:os/r", "os/a", "os/b", "other"]),
        (["os"], ["a", "b"]),
        (["--list", "os"], ["os/a", "os/b"]),
        (["origin:"], ["origin:os/r"]),
        (["nope"], []),
        (["os", "other"], ["a", "b", "other"]),
    ],
)
def test_list(run, refs, arguments, expected):
    assert run.ok(refs.option, "refs", *arguments).lines == expected


def test_revisions(run, sample):
    assert run.ok(sample.option, "refs", "-r").lines == [f"main\t{sample.second}"]


def test_create(run, sample):
    run.ok(sample.option, "refs", "main^", "--create=old")
    assert run.ok(sample.option, "rev-parse", "old").out.strip() == sample.first
    message = run.fails(sample.option, "refs", "main", "--create=old")
    assert message == "--create specified but ref old already exists"
    run.ok(sample.option, "refs", "main", "--create=old", "--force")
    assert run.ok(sample.option, "rev-parse", "old").out.strip() == sample.second


@pytest.mark.parametrize("name", [".", "-", ".x", "-x", "!", "!x", "a b", "x/../y"])
def test_names_that_no_ref_has(run, sample, name):
    assert run.fails(sample.option, "refs", "main", f"--create={name}").startswith("Invalid ref")


def test_delete(run, refs):
    run.ok(refs.option, "refs", "--delete", "os", "other")
    assert run.ok(refs.option, "refs").lines == ["main", "origin:os/r"]
    assert "At least one PREFIX" in run.fails(refs.option, "refs", "--delete")


def test_aliases(run, refs):
    run.ok(refs.option, "refs", "-A", "main", "--create=stable")
    assert run.ok(refs.option, "refs", "-A").lines == ["stable -> main"]
    message = run.fails(refs.option, "refs", "--delete", "main")
    assert message == "Ref 'main' has an active alias: 'stable'"
    run.ok(refs.option, "refs", "-A", "other", "--create=stable")
    assert run.ok(refs.option, "refs", "-A").lines == ["stable -> other"]
    found = run.fails(refs.option, "refs", "-A", "main", "--create=origin:x")
    assert found == "Cannot create alias to remote ref: origin"
    found = run.fails(refs.option, "refs", "-A", "nope", "--create=x")
    assert found == "Cannot create alias to non-existent ref: nope"


def test_collections(run, make_repo, tree):
    repo = make_repo("mine", "archive", "--collection-id=org.example.Mine")
    option = f"--repo={repo}"
    run.ok(option, "commit", "-b", "one", tree)
    run.ok(option, "refs", "-c", "one", "--create=org.example.Other:two")
    listed = ["(org.example.Mine, one)", "(org.example.Other, two)"]
    assert run.ok(option, "refs", "--collections").lines == listed
    assert run.ok(option, "refs", "-c", "org.example.Other").lines == listed[1:]
    assert run.ok(option, "refs").lines == ["one"]
    run.ok(option, "refs", "-c", "--delete", "org.example.Other")
    assert run.ok(option, "refs", "-c").lines == listed[:1]


def test_usage(run, sample):
    assert "only 1 existing ref" in run.fails(sample.option, "refs", "--create=x", "a", "b")
    assert "specify a revision" in run.fails(sample.option, "refs", "--create=x")


def test_json(run, refs, schema):
    run.ok(refs.option, "refs", "-A", "main", "--create=stable")
    found = run.ok(refs.option, "refs", "--json").json()
    schema(found, "refs")
    assert {"ref": "os/a", "commit": refs.second} in found
    aliases = run.ok(refs.option, "refs", "-A", "--json").json()
    schema(aliases, "refs")
    assert aliases == [{"ref": "stable", "alias_of": "main"}]


@pytest.mark.parametrize("content", ["bad", "", "b" * 63 + "x"])
def test_a_damaged_ref_locks_nobody_out(run, sample, tree, content):
    ref = sample.path / "refs/heads/z/y"
    ref.parent.mkdir()
    ref.write_text(content)
    assert run.ok(sample.option, "refs").lines == ["main", "z/y"]
    assert run.ok(sample.option, "refs", "--list", "z").lines == ["z/y"]
    for words in (["rev-parse", "z/y"], ["refs", "-r"], ["fsck"], ["commit", "-b", "z/y", tree]):
        message = run.fails(sample.option, *words, status=10)
        assert message.startswith("refs/heads/z/y holds no checksum: Invalid ")
    run.ok(sample.option, "commit", "-b", "main", tree)
    run.ok(sample.option, "refs", "--delete", "z/y")
    assert run.ok(sample.option, "refs").lines == ["main"]


def test_a_damaged_ref_can_be_replaced(run, sample):
    ref = sample.path / "refs/heads/z"
    for words in (["refs", "main", "--create=z", "--force"], ["reset", "z", "main"]):
        ref.write_text("bad")
        run.ok(sample.option, *words)
        assert ref.read_text().strip() == sample.second


def test_an_alias_in_the_place_of_a_directory(run, refs):
    before = sorted((refs.path / "tmp").iterdir())
    message = run.fails(refs.option, "refs", "-A", "main", "--create=os", status=20)
    assert message == "Conflict: os/a exists under os when attempting write"
    assert sorted((refs.path / "tmp").iterdir()) == before
    assert run.ok(refs.option, "refs", "os").lines == ["a", "b"]


def test_a_damaged_ref_of_a_collection(run, make_repo, tree):
    repo = make_repo("mine", "archive", "--collection-id=org.example.Mine")
    option = f"--repo={repo}"
    run.ok(option, "commit", "-b", "one", tree)
    run.ok(option, "refs", "-c", "one", "--create=org.example.Other:two")
    (repo / "refs/mirrors/org.example.Other/two").write_text("bad")
    listed = ["(org.example.Mine, one)", "(org.example.Other, two)"]
    assert run.ok(option, "refs", "-c").lines == listed
    message = run.fails(option, "refs", "-c", "-r")
    assert message.startswith("refs/mirrors/org.example.Other/two holds no checksum")
    run.ok(option, "refs", "-c", "--delete", "org.example.Other")
    assert run.ok(option, "refs", "-c").lines == listed[:1]
