# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

OWNER = "org.example.C"


@pytest.fixture
def source(run, make_repo, tree):
    path = make_repo("source", "archive", f"--collection-id={OWNER}")
    for name in ("one", "two"):
        run.ok(f"--repo={path}", "commit", "-b", name, tree)
    return path


@pytest.fixture
def volume(tmp_path):
    (tmp_path / "volume").mkdir()
    return tmp_path / "volume"


def refs(run, repo):
    return run.ok(f"--repo={repo}", "refs", "-c").lines


def test_two_refs(run, source, volume):
    found = run.ok(f"--repo={source}", "create-usb", volume, OWNER, "one", OWNER, "two")
    assert found.out == (
        f"Copied 2/2 refs successfully from ‘{source}’ to ‘.ostree/repo’ "
        f"repository in ‘{volume}’.\n"
    )
    assert refs(run, volume / ".ostree/repo") == [f"({OWNER}, one)", f"({OWNER}, two)"]
    assert (volume / ".ostree/repo/summary").exists()
    assert not (volume / ".ostree/repos.d").exists()
    run.ok(f"--repo={volume / '.ostree/repo'}", "fsck", "-q")


def test_another_place_is_linked_once(run, source, volume):
    for name in ("one", "two"):
        option = "--destination-repo=some/dest"
        run.ok(f"--repo={source}", "create-usb", option, volume, OWNER, name)
    (link,) = (volume / ".ostree/repos.d").iterdir()
    assert link.name == "00-generated"
    assert link.resolve() == volume / "some/dest"
    assert refs(run, link) == [f"({OWNER}, one)", f"({OWNER}, two)"]


def test_a_certain_commit(run, source, volume, tree):
    old = run.ok(f"--repo={source}", "rev-parse", "one").out.strip()
    run.ok(f"--repo={source}", "commit", "-b", "one", "-s", "newer", tree)
    run.ok(f"--repo={source}", "create-usb", f"--commit={old}", volume, OWNER, "one")
    found = run.ok(f"--repo={volume / '.ostree/repo'}", "refs", "-cr").out
    assert found == f"({OWNER}, one)\t{old}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "A MOUNT-PATH must be specified"),
        (["VOLUME", OWNER], "At least one COLLECTION-ID REF pair must be specified"),
        (["VOLUME", OWNER, "one", OWNER], "Only complete COLLECTION-ID REF pairs may be specified"),
        (["VOLUME", OWNER, "nope"], f"Collection-ref ({OWNER}, nope) not found"),
        (["VOLUME", "x", "one"], "Invalid collection ID x"),
        (
            ["--destination-repo=../source", "VOLUME", OWNER, "one"],
            "--destination-repo must not be the source repository",
        ),
    ],
)
def test_errors(run, source, volume, words, message):
    words = [volume if word == "VOLUME" else word for word in words]
    assert run.fails(f"--repo={source}", "create-usb", *words) == message
