# SPDX-License-Identifier: Apache-2.0
"""``pull --plan`` against a server: what it says a way costs is what the way takes."""

from __future__ import annotations

import json
import random

import pytest

from support.commands import OURS
from support.serving import serving


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    """An archive with three commits, and deltas from each to the next, and from nothing."""
    folder = tmp_path_factory.mktemp("plan")
    option = f"--repo={folder / 'repo'}"
    OURS(option, "init", "--mode=archive")
    rng = random.Random(8)
    content = rng.randbytes(300_000)
    for number in range(3):
        (folder / "tree").mkdir(exist_ok=True)
        (folder / "tree/program").write_bytes(content + b"%d" % number)
        (folder / f"tree/notes{number}").write_text("text\n" * number)
        OURS(option, "commit", "-b", "os", f"--tree=dir={folder / 'tree'}", "--generate-sizes")
        if number:
            OURS(option, "static-delta", "generate", "os")
    OURS(option, "static-delta", "generate", "--empty", "os")
    OURS(option, "summary", "--update")
    return folder / "repo"


@pytest.fixture
def client(repo, tmp_path):
    """A repository that has the first commit, and its remote."""
    option = f"--repo={tmp_path / 'client'}"
    OURS(option, "init", "--mode=bare-user")
    with serving(repo) as served:
        OURS(option, "remote", "add", "--no-gpg-verify", "--no-sign-verify", "o", served.url)
        OURS(option, "pull", "o", f"os@{OURS(f'--repo={repo}', 'rev-parse', 'os^^')}")
        yield option


def ways(client: str, *words: object) -> list[dict]:
    [found] = json.loads(OURS(client, "pull", "--json", "--plan", "o", "os", *words))["ways"]
    return found["routes"]


def test_what_it_says_and_what_it_takes(repo, client):
    found = ways(client)
    assert [way["kind"] for way in found] == ["chain", "objects", "from scratch"]
    chain, objects, scratch = found
    between = OURS(f"--repo={repo}", "rev-parse", "os^")
    assert chain["steps"] == [between, OURS(f"--repo={repo}", "rev-parse", "os")]
    assert chain["size"] < objects["size"] / 10
    assert not objects["is_estimate"]
    pulled = json.loads(OURS(client, "pull", "--json", "--plan=cheapest", "o", "os"))
    assert pulled["delta_parts_fetched"] == 2
    # Beside the deltas: the summary, the configuration, an index or two.
    assert chain["size"] < pulled["bytes_transferred"] < chain["size"] + scratch["size"] / 10
    assert "no errors found" in OURS(client, "fsck")
    assert OURS(client, "pull", "--plan", "o", "os").endswith(": it is here")


def test_limits(client):
    limit = "--apply-memory=100K"
    found = {way["kind"]: way["obstacle"] for way in ways(client, limit)}
    assert found["objects"] is None
    assert "of memory are available" in found["chain"]
    pulled = json.loads(OURS(client, "pull", "--json", "--plan=cheapest", limit, "o", "os"))
    assert pulled["delta_parts_fetched"] == 0
    text = OURS(client, "pull", "--plan", limit, "o", "os")
    assert text.endswith(": it is here")


def test_deltas_only_and_none_fits(client):
    words = ("--plan=cheapest", "--require-static-deltas", "--apply-memory=100K", "o", "os")
    assert "No way to" in OURS.fails(client, "pull", *words)
