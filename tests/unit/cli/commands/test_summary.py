# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_update_and_view(run, sample):
    run.ok(sample.option, "summary", "-u", "--add-metadata=map=@a{sv} {}", "-m", "n=uint64 7")
    found = run.ok(sample.option, "summary", "--view").lines
    assert found[0] == "* main"
    assert found[1].startswith("    Latest Commit (")
    assert found[2] == f"      {sample.second}"
    assert found[3].startswith("    Timestamp (ostree.commit.timestamp): 2001-09-0")
    assert "map: {}" in found
    assert "n: 7" in found
    assert "Repository Mode (ostree.summary.mode): archive-z2" in found
    assert "Has Tombstone Commits (ostree.summary.tombstone-commits): No" in found
    assert found[-1] == "Summary is unsigned"


def test_v_is_view_not_verbose(run, sample):
    run.ok(sample.option, "summary", "-u")
    assert run.ok(sample.option, "summary", "-v").lines[0] == "* main"


def test_the_old_signature_goes(run, sample):
    (sample.path / "summary.sig").write_bytes(b"")
    run.ok(sample.option, "summary", "-u")
    assert not (sample.path / "summary.sig").exists()


def test_metadata(run, sample):
    run.ok(sample.option, "summary", "-u", "-m", "n=uint64 7")
    keys = run.ok(sample.option, "summary", "--list-metadata-keys").lines
    assert keys == sorted(keys)
    assert "n" in keys
    found = run.ok(sample.option, "summary", "--print-metadata-key=n").out
    assert found == "uint64 504403158265495552\n"
    assert "'n': <uint64 504403158265495552>" in run.ok(sample.option, "summary", "--raw").out
    message = run.fails(sample.option, "summary", "--print-metadata-key=nope")
    assert message == "No such metadata key 'nope'"


def test_collections(run, make_repo, tree):
    option = f"--repo={make_repo('c', 'archive', '--collection-id=org.example.C')}"
    run.ok(option, "commit", "-b", "main", tree)
    run.ok(option, "refs", "-c", "--create=org.example.D:other", "main")
    run.ok(option, "summary", "-u", "-m", "k='v'")
    found = run.ok(option, "summary", "-v").out
    assert "* (org.example.C, main)\n" in found
    assert "* (org.example.D, other)\n" in found
    assert "Collection Map (ostree.summary.collection-map): (printed above)\n" in found
    # The same metadata is a commit of its own, which can be mirrored.
    assert run.ok(option, "show", "--print-metadata-key=k", "ostree-metadata").out == "'v'\n"


def test_json(run, sample, schema):
    run.ok(sample.option, "summary", "-u", "-m", "n=uint64 7")
    found = run.ok(sample.option, "summary", "--json", "-v").json()
    schema(found, "summary")
    assert found["refs"][0]["commit"] == sample.second
    assert found["refs"][0]["timestamp"] == 1000000001
    assert found["metadata"]["n"] == "uint64 7"
    value = run.ok(sample.option, "summary", "--json", "--print-metadata-key=n").json()
    schema(value, "summary")
    assert value["value"] == "uint64 7"


def test_errors(run, sample):
    message = run.fails(sample.option, "summary", status=2)
    assert message == "No option specified; use -u to update summary"
    assert "No such file or directory" in run.fails(sample.option, "summary", "-v")
    assert "Missing '='" in run.fails(sample.option, "summary", "-u", "-m", "x")


@pytest.mark.parametrize(
    "words",
    [
        ["-v"], ["--raw"], ["-v", "--json"], ["--list-metadata-keys"],
        ["--print-metadata-key=x"], ["--print-metadata-key=x", "--json"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("content", [b"bad", b"\xff" * 100])
def test_a_damaged_summary_is_named(run, sample, words, content):
    (sample.path / "summary").write_bytes(content)
    found = run(sample.option, "summary", *words)
    assert (found.status, found.out) == (10, "")
    assert found.error.startswith(f"{sample.path}/summary: ")


def test_a_damaged_commit_is_named(run, sample):
    (sample.path / f"objects/{sample.second[:2]}/{sample.second[2:]}.commit").write_bytes(b"")
    message = run.fails(sample.option, "summary", "-u", status=10)
    assert message.startswith(f"{sample.second}.commit: ")


def test_raw_as_json(run, sample, schema):
    run.ok(sample.option, "summary", "-u")
    found = run.ok(sample.option, "summary", "--raw", "--json").json()
    schema(found, "summary")
    assert found["raw"] + "\n" == run.ok(sample.option, "summary", "--raw").out
