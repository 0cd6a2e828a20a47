# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya._linux import mount_table
from ostrya.cli.commands import find_remotes
from support.collection_repos import KEYS

OWNER = "org.example.C"


@pytest.fixture
def source(run, make_repo, tree):
    path = make_repo("source", "archive", f"--collection-id={OWNER}")
    for name in ("one", "two"):
        run.ok(f"--repo={path}", "commit", "-b", name, f"--sign={KEYS.secret_text}", tree)
    run.ok(f"--repo={path}", "summary", "-u")
    return path


@pytest.fixture
def device(run, make_repo, source):
    option = f"--repo={make_repo('device')}"
    run.ok(
        option, "remote", "add", "vendor", f"file://{source}", f"--collection-id={OWNER}",
        "--no-gpg-verify", f"--sign-verify=ed25519=inline:{KEYS.public_text}",
    )  # fmt: skip
    return option


@pytest.fixture
def volume(run, source, tmp_path, monkeypatch):
    """A mounted volume with the first ref, as far as the mount table goes."""
    path = tmp_path / "home/volume"
    path.mkdir(parents=True)
    run.ok(f"--repo={source}", "create-usb", path, OWNER, "one")
    monkeypatch.setenv("HOME", str(path.parent))
    mounts = (mount_table.Mount(str(path), "vfat", "/dev/sda1"),)
    monkeypatch.setattr(mount_table, "read_mounts", lambda: mounts)
    return path


def commit_of(run, source, ref):
    return run.ok(f"--repo={source}", "rev-parse", ref).out.strip()


def test_what_is_printed(run, source, device):
    command = (device, "find-remotes", "--finders=config", OWNER, "one", OWNER, "nope")
    out = run.ok(*command).out
    lines = out.splitlines()
    assert lines[:4] == [
        f"Result 0: file://{source}",
        " - Finder: OstreeRepoFinderConfig",
        " - Keyring: vendor.trustedkeys.gpg",
        " - Priority: 100",
    ]
    assert lines[4].startswith(" - Summary last modified: 2")
    assert lines[4].endswith("Z")
    assert lines[5] == " - Refs:"
    assert sorted(lines[6:8]) == [
        f"    - ({OWNER}, nope) = (not found)",
        f"    - ({OWNER}, one) = {commit_of(run, source, 'one')}",
    ]
    assert lines[8:] == [
        "",
        "1/2 refs were found.",
        "Refs not found in any remote:",
        f" - ({OWNER}, nope)",
    ]
    assert run.as_ostree().ok(*command).out == out


def test_a_ref_that_is_named_twice(run, device):
    command = (device, "find-remotes", "--finders=config", "--pull", OWNER, "one", OWNER, "one")
    assert run.ok(*command).lines[-2:] == [
        "1/1 refs were found.",
        "Pulled 1/1 refs successfully.",
    ]


def test_no_results(run, device):
    for words in ([], ["--pull"]):
        command = (device, "find-remotes", "--finders=config", *words, OWNER, "nope")
        assert run.ok(*command).out == "No results.\n"


def test_pull(run, source, device):
    command = (device, "find-remotes", "--finders=config", "--pull", OWNER, "one", OWNER, "two")
    assert run.ok(*command).lines[-2:] == [
        "2/2 refs were found.",
        "Pulled 2/2 refs successfully.",
    ]
    assert sorted(run.ok(device, "refs").lines) == ["vendor:one", "vendor:two"]
    assert run.ok(device, "rev-parse", "vendor:one").out.strip() == commit_of(run, source, "one")


def test_mirror(run, device):
    run.ok(
        device, "find-remotes", "--pull", "--mirror", "--disable-fsync", "--finders=config",
        OWNER, "one",
    )  # fmt: skip
    assert run.ok(device, "refs").lines == []
    assert run.ok(device, "refs", "-c").lines == [f"({OWNER}, one)"]


def test_a_volume(run, source, device, volume):
    out = run.ok(device, "find-remotes", "--pull", OWNER, "one").lines
    assert out[:2] == [
        f"Result 0: file://{volume}/.ostree/repo",
        " - Finder: OstreeRepoFinderMount",
    ]
    assert out[3] == " - Priority: 50"
    assert f"Result 1: file://{source}" in out
    assert run.ok(device, "rev-parse", "vendor:one").out.strip() == commit_of(run, source, "one")


def test_default_finders(run, source, device, volume):
    run.ok(device, "config", "set", "core.default-repo-finders", "mount")
    out = run.ok(device, "find-remotes", OWNER, "one").out
    assert out.count("Result ") == 1
    assert "FinderMount" in out
    run.ok(device, "config", "set", "core.default-repo-finders", "config;lan")
    outcome = run.ok(device, "find-remotes", OWNER, "one")
    assert "FinderMount" not in outcome.out
    assert outcome.err == ""


def test_without_a_mount_table(run, device, volume, monkeypatch):
    def absent():
        raise FileNotFoundError("/proc")

    monkeypatch.setattr(mount_table, "read_mounts", absent)
    assert run.ok(device, "find-remotes", OWNER, "one").out.count("Result ") == 1


def test_the_local_network(run, device):
    outcome = run.ok(device, "find-remotes", "--finders=config,lan", OWNER, "one")
    assert "Avahi finder failed; removing it: " in outcome.err
    assert "1/1 refs were found." in outcome.lines
    assert run.fails(device, "find-remotes", "--finders=lan", OWNER, "one") == (
        "LAN repo finder requested but ostree was compiled without Avahi support"
    )


def test_who_is_left_out_is_named(run, device):
    run.ok(device, "remote", "add", "gone", "file:///gone", f"--collection-id={OWNER}")
    outcome = run.ok(device, "find-remotes", "--finders=config", OWNER, "one")
    assert outcome.err.startswith("file:///gone is left out: ")
    assert "1/1 refs were found." in outcome.lines


def test_who_fails_is_named(run, source, device):
    run.ok(f"--repo={source}", "sign", "--delete", "one", KEYS.public_text)
    outcome = run(device, "find-remotes", "--finders=config", "--pull", OWNER, "one")
    assert outcome.status == 41
    assert outcome.error == (f"Failed to pull some refs from the remotes: ({OWNER}, one)")
    assert outcome.err.startswith(f"Pulling from file://{source}: ")
    assert "1/1 refs were found." in outcome.lines


def test_json(run, source, device, schema):
    words = (OWNER, "one", OWNER, "nope")
    found = run.ok(device, "find-remotes", "--finders=config", "--json", "--pull", *words).json()
    schema(found, "find-remotes")
    assert found["pulled"]
    assert found["not_found"] == [{"collection": OWNER, "ref": "nope"}]
    (result,) = found["results"]
    assert (result["uri"], result["finder"]) == (f"file://{source}", "config")
    assert {ref["ref"]: ref["commit"] for ref in result["refs"]} == {
        "one": commit_of(run, source, "one"),
        "nope": None,
    }
    found = run.ok(
        device, "find-remotes", "--json", "--finders=config", "--pull", OWNER, "nope"
    ).json()
    schema(found, "find-remotes")
    assert found == {
        "results": [],
        "not_found": [{"collection": OWNER, "ref": "nope"}],
        "pulled": False,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "At least one COLLECTION-ID REF pair must be specified"),
        ([OWNER], "At least one COLLECTION-ID REF pair must be specified"),
        ([OWNER, "a", OWNER], "Only complete COLLECTION-ID REF pairs may be specified"),
        (["--mirror", OWNER, "a"], "When --mirror is specified, --pull must also be"),
        (["x", "a"], "Invalid collection ID x"),
        ([OWNER, "..a"], "Invalid ref name ..a"),
        (["--finders=", OWNER, "a"], "List of finders in --finders option must not be empty"),
        (
            ["--finders=config,x", OWNER, "a"],
            "Unknown or duplicate finder type given in --finders option: ‘x’",
        ),
        (
            ["--finders=config,config", OWNER, "a"],
            "Unknown or duplicate finder type given in --finders option: ‘config’",
        ),
    ],
)
def test_errors(run, device, words, message):
    assert run.fails(device, "find-remotes", *words) == message


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "unknown"),
        (1_515_783_628, "2018-01-12T19:00:28Z"),
        (2**62, "invalid"),
    ],
)
def test_times(seconds, shown):
    assert find_remotes._format_time(seconds) == shown
