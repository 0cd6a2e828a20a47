# SPDX-License-Identifier: Apache-2.0
"""``find-remotes`` of both tools on the same repositories, and on a mounted volume."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from support import mounts
from support.commands import OURS_PATH, PEER, Command
from support.gpg_keys import gpg_user

pytestmark = pytest.mark.peer

OS, APPS = "org.example.os", "org.example.apps"


@pytest.fixture(scope="module")
def user():
    with gpg_user() as user:
        user.key = user.make_key("One <one@example.org>")
        yield user


@pytest.fixture
def tools(tmp_path):
    """Ours under the peer's name, so that all words are the peer's, and the peer."""
    link = tmp_path / "bin/ostree"
    link.parent.mkdir()
    link.symlink_to(OURS_PATH)
    env = {"HOME": str(tmp_path / "home")}
    return Command(link, "ours", env=env), replace(PEER, env=env)


class World:
    """A publisher of two collections, a mirror of them, and devices."""

    def __init__(self, top: Path, user) -> None:
        self.top = top
        self.user = user
        self.sign = (f"--gpg-homedir={user.home}", f"--gpg-sign={user.key}")
        (top / "key.asc").write_bytes(user.export(user.key))
        (top / "tree").mkdir()
        for owner, refs in ((OS, ("os/a", "os/b")), (APPS, ("app",))):
            PEER(f"--repo={top / owner}", "init", "--mode=archive", f"--collection-id={owner}")
            for ref in refs:
                self.publish(owner, ref, 1_700_000_000)
        self.device("mirror", OS=OS, APPS=APPS)
        PEER(
            f"--repo={top}/mirror", "find-remotes", "--pull", "--mirror", "--finders=config",
            OS, "os/a", OS, "os/b", APPS, "app",
        )  # fmt: skip
        PEER(f"--repo={top}/mirror", "summary", "-u")

    def publish(self, owner: str, ref: str, timestamp: int) -> str:
        (self.top / "tree/file").write_text(f"{owner} {ref} {timestamp}")
        repo = f"--repo={self.top / owner}"
        commit = PEER(
            repo, "commit", "-b", ref, f"--timestamp=@{timestamp}", *self.sign,
            f"--tree=dir={self.top}/tree",
        )  # fmt: skip
        PEER(repo, "summary", "-u", *self.sign)
        return commit

    def device(self, name: str, **remotes: str) -> str:
        """Make a repository with remotes, by the last part of their path, of a collection."""
        option = f"--repo={self.top / name}"
        PEER(option, "init", "--mode=archive")
        for remote, owner in remotes.items():
            path = self.top / (owner if remote in {"OS", "APPS"} else remote.rstrip("0123456789"))
            self.add_remote(option, remote, f"file://{path}", owner)
        return option

    def add_remote(self, option: str, name: str, url: str, owner: str) -> None:
        key = f"--gpg-import={self.top}/key.asc"
        PEER(option, "remote", "add", f"--collection-id={owner}", key, name, url)


@pytest.fixture
def world(tmp_path, user):
    return World(tmp_path, user)


def both(tools, *words: str) -> str:
    """Run both, demand the same status and output, and return that."""
    done = [tool.run(*words) for tool in tools]
    assert done[0].returncode == done[1].returncode, done[0].stderr
    assert done[0].stdout.decode() == done[1].stdout.decode()
    return done[0].stdout.decode()


def test_the_same_output(world, tools):
    option = world.device("device", OS=OS, APPS=APPS)
    find = (option, "find-remotes", "--finders=config")
    both(tools, *find, OS, "os/a")
    both(tools, *find, OS, "os/a", OS, "os/b", APPS, "app")
    both(tools, *find, APPS, "app", OS, "os/a", APPS, "none", OS, "none", "org.example.no", "a")
    assert both(tools, *find, OS, "none") == "No results.\n"
    assert both(tools, option, "find-remotes", "--finders=mount", OS, "os/a") == "No results.\n"
    both(tools, option, "find-remotes", OS, "os/a")


def test_an_outdated_mirror(world, tools):
    option = world.device("device", OS=OS, mirror1=OS, mirror2=APPS)
    find = (option, "find-remotes", "--finders=config", OS, "os/a", OS, "os/b")
    assert both(tools, *find).count("Result ") == 2
    world.publish(OS, "os/a", 1_700_000_001)
    out = both(tools, *find)
    assert out.count("Result ") == 2
    assert f"({OS}, os/a) = (not found)" in out
    world.publish(OS, "os/b", 1_700_000_001)
    assert both(tools, *find).count("Result ") == 1


def test_many_refs(world, tools):
    """Their order is that of a hash table, which grows."""
    option = world.device("device", OS=OS)
    words = []
    for number in range(40):
        words += [OS, f"none/{number}"]
    both(tools, option, "find-remotes", "--finders=config", OS, "os/a", *words)


@pytest.mark.parametrize("words", [(), ("--mirror",)], ids=["refs of remotes", "mirror"])
def test_the_same_refs(world, tools, words):
    refs = (OS, "os/a", APPS, "app", OS, "none")
    found = []
    for tool in tools:
        option = world.device(f"device-{tool.name}", OS=OS, APPS=APPS)
        out = tool(option, "find-remotes", "--finders=config", "--pull", *words, *refs)
        assert out.endswith("Pulled 3/3 refs successfully.")
        refs_dir = world.top / f"device-{tool.name}" / "refs"
        files = [path for path in sorted(refs_dir.rglob("*")) if path.is_file()]
        found.append([(str(path.relative_to(refs_dir)), path.read_text()) for path in files])
        assert len(found[-1]) == 2
        PEER(option, "fsck")
    assert found[0] == found[1]


def test_nobody_who_vouches(world, tools, user):
    """A commit that is not signed by a key of the remote's is refused by both."""
    (world.top / "tree/file").write_text("unsigned")
    repo = f"--repo={world.top / OS}"
    PEER(repo, "commit", "-b", "os/a", "--timestamp=@1700000005", f"--tree=dir={world.top}/tree")
    PEER(repo, "summary", "-u", *world.sign)
    option = world.device("device", OS=OS)
    for tool in tools:
        error = tool.fails(option, "find-remotes", "--finders=config", "--pull", OS, "os/a")
        assert f"error: Failed to pull some refs from the remotes: ({OS}, os/a)" in error
        assert PEER(option, "refs") == ""


@pytest.fixture
def volumes(tmp_path):
    """Two volumes, mounted below the home directory."""
    reason = mounts.missing("ext4")
    if reason:
        pytest.skip(reason)
    places = [
        mounts.mount("ext4", tmp_path / "home" / name, size=32 * 1024 * 1024)
        for name in ("one", "t wo")
    ]
    yield places
    mounts.unmount(tmp_path)


@pytest.mark.parametrize("writer", [0, 1], ids=["written by ours", "written by peer"])
def test_volumes(world, tools, volumes, writer):
    source = f"--repo={world.top / OS}"
    one, two = volumes
    tools[writer](source, "create-usb", one, OS, "os/a", OS, "os/b")
    tools[writer](source, "create-usb", "--destination-repo=some/where", two, OS, "os/a")
    option = world.device("device")
    assert both(tools, option, "find-remotes", "--finders=mount", OS, "os/a") == "No results.\n"
    world.add_remote(option, "vendor", "file:///nowhere", OS)
    words = (OS, "os/a", OS, "os/b", APPS, "app")
    out = both(tools, option, "find-remotes", "--finders=mount", *words)
    # Which of them comes first depends on the seconds in which they were written.
    for place in (f"{two}/some/where", f"{one}/.ostree/repo"):
        assert re.search(rf"^Result [01]: file://{re.escape(place)}$", out, re.MULTILINE)
    both(tools, option, "find-remotes", "--finders=config,mount", *words)
    (one / ".ostree/repos.d").mkdir()
    (one / ".ostree/repos.d/out").symlink_to(world.top / OS)
    (one / ".ostree/repos.d/in").symlink_to("../repo")
    both(tools, option, "find-remotes", "--finders=mount", *words)
    for tool in tools:
        device = world.device(f"device-{tool.name}")
        world.add_remote(device, "vendor", "file:///nowhere", OS)
        tool(device, "find-remotes", "--finders=mount", "--pull", OS, "os/a", OS, "os/b")
        assert sorted(PEER(device, "refs").splitlines()) == ["vendor:os/a", "vendor:os/b"]
        PEER(device, "fsck")
