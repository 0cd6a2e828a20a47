# SPDX-License-Identifier: Apache-2.0
"""A pull that is killed goes on where it was; one that has nothing to do asks next to nothing."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, PEER_PATH, clean_environment
from support.hostile import Asked, HostileServer

FILES = 300
OBJECT = re.compile(r"^/objects/(..)/(.*)\.(filez|dirtree|dirmeta|commit)$")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for number in range(FILES):
        trees.write(folder / f"tree/{number % 30}/{number}", b"%d\n" % number * 20)
    trees.write(folder / "tree/large", trees.seeded_bytes(5 << 20, 1))
    option = f"--repo={folder / 'repo'}"
    OURS("init", option, "--mode=archive")
    OURS("commit", option, "-b", "main", f"--tree=dir={folder / 'tree'}")
    OURS("summary", option, "-u")
    return folder / "repo"


def prepared(folder: Path, mode: str, url: str) -> str:
    option = f"--repo={folder}"
    OURS("init", option, f"--mode={mode}")
    OURS("remote", "add", option, "origin", url, "--no-sign-verify")
    return option


def asked_objects(server: HostileServer) -> list[str]:
    """The names of the objects that were asked for."""
    found = [match for path in server.paths() if (match := OBJECT.match(path))]
    return [f"{match[1]}{match[2]}.{match[3].removesuffix('z')}" for match in found]


def staged_objects(repo: Path) -> set[str]:
    """The names of those that a killed pull left in staging, but for commits, judged each time."""
    found = set()
    for path in repo.glob("tmp/staging-*/*/*"):
        name = path.name if path.parent.name == "meta" else f"{path.parent.name}{path.name}"
        found.add(name.replace(".filez", ".file"))
    return {name for name in found if not name.endswith((".commit", ".commitmeta"))}


@pytest.mark.parametrize(
    ("mode", "sent"),
    [
        ("archive", signal.SIGKILL),
        ("bare-user", signal.SIGKILL),
        ("bare-user", signal.SIGTERM),
    ],
)
def test_nothing_that_is_here_comes_again(source, tmp_path, mode, sent):
    with HostileServer(source) as server:
        prepared(tmp_path / "whole", mode, server.url)
        OURS("pull", f"--repo={tmp_path / 'whole'}", "origin", "main")
        whole = asked_objects(server)
        assert len(whole) == len(set(whole))
        for number, part in enumerate((0.03, 0.3, 0.6, 0.97)):
            repo = tmp_path / f"killed{number}"
            option = prepared(repo, mode, server.url)
            _pull_killed(server, option, int(part * len(whole)), sent)
            staged = staged_objects(repo)
            assert part < 0.3 or len(staged) > part * len(whole) / 3
            assert OURS("refs", option) == ""
            server.forget()
            OURS("pull", option, "origin", "main")
            again = asked_objects(server)
            assert staged.isdisjoint(again)
            assert sorted(again) == sorted(set(whole) - staged)
            OURS("fsck", option, "--quiet")
            if PEER_PATH.exists():
                PEER("fsck", option, "--quiet")
            assert staged_objects(repo) == set()


def _pull_killed(server: HostileServer, option: str, at: int, sent: signal.Signals) -> None:
    """Pull, and end it while it waits for the answer to its ``at``-th request."""
    server.forget()
    started: list[subprocess.Popen[bytes]] = []

    def kill(asked: Asked) -> None:
        if asked.count >= at and started:
            # Once: a second signal would find it ending.
            started.pop().send_signal(sent)

    server.rule(kill)
    argv = OURS.argv("pull", option, "origin", "main")
    with subprocess.Popen(argv, env=clean_environment(), stdout=subprocess.DEVNULL) as process:
        started.append(process)
        assert process.wait(timeout=60) == (-sent if sent == signal.SIGKILL else 128 + sent)


@pytest.mark.parametrize("mirror", [False, True], ids=["remote", "mirror"])
def test_a_pull_without_news(source, tmp_path, mirror):
    words = ("--mirror", "origin") if mirror else ("origin", "main")
    with HostileServer(source) as server:
        option = prepared(tmp_path / "repo", "archive", server.url)
        OURS("pull", option, *words)
        server.forget()
        OURS("pull", option, *words)
        assert asked_objects(server) == []
        # The summary, its signatures, those of the commit.
        assert len(server.paths()) <= 3
        assert server.connections <= 4
