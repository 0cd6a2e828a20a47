# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.cli.commands.pull import _parse_request, _parse_what
from ostrya.errors import OstryaError
from ostrya.pull.options import RefRequest
from support.ed25519_keys import key_pair

SUM = "ab" * 32


@pytest.fixture
def remote(run, sample, make_repo):
    """A repository that knows the sample as remote ``o``."""
    path = make_repo("client")
    url = f"file://{sample.path}"
    run.ok(f"--repo={path}", "remote", "add", "--no-sign-verify", "o", url)
    return f"--repo={path}"


def test_refs_and_their_commits(run, sample, remote):
    ref = run.ok(sample.option, "refs").lines[0]
    commit = run.ok(sample.option, "rev-parse", ref).out.strip()
    out = run.ok(remote, "pull", "o", ref).out
    assert "metadata, " in out
    assert " content objects imported; " in out
    assert run.ok(remote, "rev-parse", f"o:{ref}").out.strip() == commit
    run.ok(remote, "fsck", "-q")
    for words in ([f"o:{ref}"], ["o", f"{ref}@{commit}"], ["o", commit]):
        assert "0 content objects imported" in run.ok(remote, "pull", *words).out


def test_who_has_no_signature_ends_like_who_has_a_wrong_one(run, sample, remote):
    ref = run.ok(sample.option, "refs").lines[0]
    url = f"file://{sample.path}"
    key = f"--sign-verify=ed25519=inline:{key_pair(1).public_text}"
    run.ok(remote, "remote", "add", "keys", url, "--no-gpg-verify", key)
    run.fails(remote, "pull", "keys", ref, status=30)
    run.ok(remote, "remote", "add", "gpg", url)
    assert "no signatures found" in run.fails(remote, "pull", "gpg", ref, status=30)
    run.ok(remote, "remote", "add", "sums", url, "--no-gpg-verify", "--set=gpg-verify-summary=true")
    assert "no summary" in run.fails(remote, "pull", "sums", ref, status=30)


def test_schemes_in_capitals(run, sample, remote):
    ref = run.ok(sample.option, "refs").lines[0]
    url = f"FILE://{sample.path}"
    run.ok(remote, "remote", "add", "--no-sign-verify", "capitals", url)
    assert "imported; " in run.ok(remote, "pull", "capitals", ref).out


def test_json(run, sample, remote, schema):
    ref = run.ok(sample.option, "refs").lines[0]
    commit = run.ok(sample.option, "rev-parse", ref).out.strip()
    found = run.ok(remote, "pull", "--json", "o", ref).json()
    schema(found, "pull")
    assert found["refs"] == [{"collection": None, "ref": ref, "commit": commit}]
    assert found["is_local"]
    assert found["vouched"] == []


def test_who_vouches(run, sample, remote, schema, monkeypatch):
    ref = run.ok(sample.option, "refs").lines[0]
    keys = key_pair(1)
    url = f"file://{sample.path}"
    key = f"--sign-verify=ed25519=inline:{keys.public_text}"
    run.ok(remote, "remote", "add", "s", url, "--no-gpg-verify", key)
    run.ok(sample.option, "sign", ref, keys.secret_text)
    found = run.ok(remote, "pull", "--json", "s", ref).json()
    schema(found, "pull")
    (vouched,) = found["vouched"]
    assert vouched["gpg"] == []
    assert vouched["sentence"].startswith("ed25519: ")
    assert "ed25519" not in run.ok(remote, "pull", "s", ref).out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    commit = run.ok(sample.option, "rev-parse", ref).out.strip()
    assert f"Commit {commit}: {vouched['sentence']}" in run.ok(remote, "pull", "s", ref).out
    assert "ed25519" not in run.as_ostree().ok(remote, "pull", "s", ref).out


def test_plan(run, sample, remote, schema):
    ref = run.ok(sample.option, "refs").lines[0]
    out = run.ok(remote, "pull", "--plan", "o", ref).lines
    assert out[0].startswith(f"To {ref}, ")
    assert out[1].startswith("  objects ")
    found = run.ok(remote, "pull", "--plan", "--json", "o", ref).json()
    schema(found, "pull")
    assert [way["kind"] for way in found["ways"][0]["routes"]] == ["objects"]
    assert "imported" in run.ok(remote, "pull", "--plan=cheapest", "o", ref).out
    assert run.ok(remote, "pull", "--plan", "o", ref).lines[0].endswith(": it is here")


def test_plans_that_cannot_be(run, remote):
    message = run.fails(remote, "pull", "--plan=dearest", "o", "main")
    assert message == "Unknown plan 'dearest', expected show, cheapest"
    both = ("--plan", "--dry-run", "--require-static-deltas")
    message = "--dry-run and --plan cannot be used together"
    assert run.fails(remote, "pull", *both, "o", "main") == message


def test_progress(run, sample, remote, schema):
    ref = run.ok(sample.option, "refs").lines[0]
    pulled = run.ok(remote, "pull", "--progress=json", "--update-frequency=60000", "o", ref)
    events = [json.loads(line) for line in pulled.err.splitlines()]
    for event in events:
        schema(event, "progress")
    assert [event["event"] for event in events] == ["started", "advanced", "finished"]
    assert events[-1]["done"] > 0
    assert "bytes" in events[-1]


def test_what_is_asked_for():
    assert _parse_what(["o"]) == ("o", None)
    assert _parse_what(["o:a/b"]) == ("o", [RefRequest("a/b")])
    assert _parse_what(["o:a", "b"], drop_in=True) == ("o", [RefRequest("a")])
    assert _parse_what(["file:///x", "r"]) == ("file:///x", [RefRequest("r")])
    assert _parse_request(f"main@{SUM}") == RefRequest("main", SUM)
    with pytest.raises(OstryaError):
        _parse_request("main@x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "REMOTE must be specified"),
        (["nosuch", "main"], 'Remote "nosuch" not found'),
        (["o", "--dry-run"], "--dry-run requires --require-static-deltas"),
        (["o", "main", "--require-static-deltas"], "Can't use static deltas in an archive repo"),
        (["o", "main", "--http-header=x"], "Missing '=' in --http-header 'x'"),
        (["o"], "No configured branches for remote o"),
        (["o:main", "x"], "o:main is all that is pulled; for more: o main x"),
        (["o", "main", "--depth=-2"], "Invalid depth -2"),
        (["o", "main", "--subpath=x"], "Invalid subpath 'x': it has to begin with a slash"),
        (["o", "main", "--max-outstanding-fetcher-requests=-1"], "Invalid number of requests -1"),
    ],
)
def test_refusals(run, remote, words, message):
    assert run.fails(remote, "pull", *words) == message


def test_a_local_cache(run, sample, remote, make_repo):
    ref = run.ok(sample.option, "refs").lines[0]
    run.ok(remote, "pull", "o", ref, "-L", sample.path, "--disable-fsync", "--per-object-fsync")
