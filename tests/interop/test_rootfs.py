# SPDX-License-Identifier: Apache-2.0
"""The proofs on a whole Debian root file system, some 18,000 entries, and on its update.

``make rootfs-full`` runs all of them in every mode on each kind of file system; ``make test`` those
of ``SAMPLE``: all in every mode on tmpfs, and the first in mode bare on each other kind.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from support import mounts, trees
from support.commands import OURS, PEER, Command

pytestmark = [
    pytest.mark.peer, pytest.mark.root, pytest.mark.rootfs,
    pytest.mark.xdist_group("rootfs"), pytest.mark.timeout(900),
]  # fmt: skip

BOTH = (OURS, PEER)
WHEN = "--timestamp=@1700000000"
MODES = ("bare", "archive", "bare-user", "bare-user-only")
ON_TMPFS = [("tmpfs", mode) for mode in MODES]
SAMPLE = {
    "test_each_alone": [
        *ON_TMPFS,
        *((kind, "bare") for kind in ("ext4", "xfs", "btrfs", "overlayfs")),
    ],
    "test_in_turn": ON_TMPFS,
    "test_at_once": ON_TMPFS,
}
SIZE = 6 * 1024**3


class Place(NamedTuple):
    """A folder on one kind of file system, with both releases on it."""

    kind: str
    folder: Path
    first: Path
    second: Path


class Sums(NamedTuple):
    """Commit checksums: the first release, the second on top of it, the second without a parent."""

    first: str
    second: str
    alone: str


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the file systems and modes."""
    if "place" not in metafunc.fixturenames:
        return
    cases = SAMPLE[metafunc.function.__name__]
    if metafunc.config.getoption("--rootfs-full"):
        cases = [(kind, mode) for kind in mounts.KINDS for mode in MODES]
    metafunc.parametrize(("place", "mode"), cases, indirect=["place"], scope="module")


def copy_to(target: Path, *sources: Path) -> None:
    """Copy trees with owners, times, links and xattrs."""
    subprocess.run(["cp", "-a", *map(str, sources), str(target)], check=True)


@pytest.fixture(scope="module")
def folder(debian_tree_path) -> Iterator[Path]:
    """A folder on the file system of the tree."""
    top = Path(tempfile.mkdtemp(prefix="test-rootfs-", dir=debian_tree_path.parent))
    yield top
    mounts.unmount(top)
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def place(request, folder, debian_tree_path, debian_update_path) -> Iterator[Place]:
    """Both releases on one kind of file system."""
    kind, sources = request.param, (debian_tree_path, debian_update_path)
    if reason := mounts.missing(kind):
        pytest.skip(reason)
    below = folder / kind
    try:
        top = mounts.mount(kind, below, size=SIZE, fill=lambda target: copy_to(target, *sources))
        yield Place(kind, top, *(top / source.name for source in sources))
    finally:
        mounts.unmount(below)
        shutil.rmtree(below)


@pytest.fixture
def work(place, mode, request) -> Iterator[Path]:
    """An empty folder on that file system."""
    what = request.function.__name__.removeprefix("test_").replace("_", " ")
    # As record_property does, which warns outside of xdist.
    request.node.user_properties.append(("told", f"{what}|{place.kind}|{mode}"))
    top = place.folder / "work"
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir()
    yield top
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def peer_sums(place) -> dict[str, Sums]:
    """What the peer alone makes of both releases: one commit whatever the mode, but for one mode.

    Not whatever the file system: xfs shows ACLs as ``trusted.SGI_ACL_FILE`` besides.
    """
    found = {}
    for mode in ("bare", "bare-user-only"):
        path = place.folder / "alone"
        repo = make_repo(PEER, path, mode)
        found[mode] = Sums(
            commit(PEER, repo, mode, "debian", place.first),
            commit(PEER, repo, mode, "debian", place.second),
            PEER(repo, "commit", "-b", "update", "--no-bindings", WHEN, "--tree=ref=debian"),
        )
        shutil.rmtree(path)
    return {mode: found.get(mode, found["bare"]) for mode in MODES}


def make_repo(tool: Command, path: Path, mode: str) -> str:
    """An empty repository that waits for the disk and for zlib little; its ``--repo`` option."""
    tool("init", f"--repo={path}", f"--mode={mode}")
    with (path / "config").open("a") as config:
        config.write("fsync=false\nlock-timeout-secs=200\n[archive]\nzlib-level=1\n")
    return f"--repo={path}"


def commit(tool: Command, repo: str, mode: str, ref: str, tree: Path) -> str:
    """Commit a whole tree; its checksum."""
    extra = ["--no-bindings", *(["--canonical-permissions"] if mode == "bare-user-only" else [])]
    return tool(repo, "commit", "-b", ref, WHEN, *extra, f"--tree=dir={tree}")


def check_out(tool: Command, repo: str, mode: str, revision: str, target: Path) -> None:
    """Check out the cheapest way: hard links where the mode has such."""
    options = ("-U", "-H") if mode.startswith("bare-user") else ("-H",) if mode == "bare" else ()
    tool(repo, "checkout", *options, revision, target)


def assert_same_checkouts(repo: Path, left: Path, right: Path) -> None:
    """Demand equal trees whose files are links to the same objects."""
    trees.assert_same_tree(left, right, mtimes=True)
    assert trees.links_into(left, repo) == trees.links_into(right, repo)


def object_names(repo: Path) -> set[str]:
    """The names of all objects."""
    return {path.parent.name + path.name for path in repo.glob("objects/??/*")}


def test_each_alone(place, work, mode, peer_sums):
    """One commit checksum, each other's fsck, one tree out; the unchanged tree brings nothing new."""
    for tool in BOTH:
        repo = make_repo(tool, work / tool.name, mode)
        assert commit(tool, repo, mode, "debian", place.first) == peer_sums[mode].first
    OURS(f"--repo={work / 'peer'}", "fsck", "-q")
    PEER(f"--repo={work / 'ours'}", "fsck", "-q")
    for tool in BOTH:
        check_out(tool, f"--repo={work / 'ours'}", mode, "debian", work / f"out-{tool.name}")
    assert_same_checkouts(work / "ours", work / "out-ours", work / "out-peer")
    assert (mode != "archive") == bool(trees.links_into(work / "out-ours", work / "ours"))
    if mode == "bare":
        left, right = trees.snapshot(place.first), trees.snapshot(work / "out-ours")
        # Links between names of a tree are not recorded; links to objects appear instead.
        left, right = ({k: v._replace(linked_with="") for k, v in s.items()} for s in (left, right))
        assert not trees.differences(left, right)
    objects = object_names(work / "ours")
    assert objects == object_names(work / "peer")
    again = commit(OURS, f"--repo={work / 'peer'}", mode, "debian", place.first)
    assert object_names(work / "peer") == objects | {f"{again}.commit"}


def test_in_turn(place, work, mode, peer_sums):
    """Releases committed by turns are one history to both; each prunes what the other wrote."""
    path, sums = work / "repo", peer_sums[mode]
    repo = make_repo(PEER, path, mode)
    assert commit(OURS, repo, mode, "debian", place.first) == sums.first
    objects = object_names(path)
    assert commit(PEER, repo, mode, "debian", place.second) == sums.second
    for tool in BOTH:
        tool(repo, "fsck", "-q")
        for revision in ("debian", "debian^"):
            check_out(tool, repo, mode, revision, work / f"{revision}-{tool.name}")
    assert OURS(repo, "log", "debian") == PEER(repo, "log", "debian")
    for revision in ("debian", "debian^"):
        assert_same_checkouts(path, *(work / f"{revision}-{tool.name}" for tool in BOTH))
    PEER(repo, "prune", "--refs-only", "--depth=0")
    OURS(repo, "fsck", "-q")
    assert commit(OURS, repo, mode, "back", place.first) == sums.first
    PEER(repo, "refs", "--delete", "debian")
    OURS(repo, "prune", "--refs-only")
    PEER(repo, "fsck", "-q")
    assert object_names(path) == objects


def prune_until(over: threading.Event, tool: Command, repo: str) -> None:
    """Prune again and again, at least once, with pauses in which others get the lock."""
    while True:
        tool(repo, "prune", "--refs-only")
        if over.wait(0.5):
            return


def at_once(repo: str, *calls: tuple[object, ...]) -> list[object]:
    """Call functions at the same time while both tools prune; what they return."""
    over = threading.Event()
    with ThreadPoolExecutor(len(calls) + len(BOTH)) as pool:
        pruners = [pool.submit(prune_until, over, tool, repo) for tool in BOTH]
        running = [pool.submit(*call) for call in calls]
        try:
            return [future.result() for future in running]
        finally:
            over.set()
            for pruner in pruners:
                pruner.result()


def test_at_once(place, work, mode, peer_sums):
    """Commits, pulls, checkouts and prunes of both tools at the same time lose nothing."""
    path, sums = work / "repo", peer_sums[mode]
    source = make_repo(OURS, work / "source", mode)
    for ref, tree in (("first", place.first), ("second", place.second)):
        commit(OURS, source, mode, ref, tree)
    repo = make_repo(PEER, path, mode)
    writes = [
        (commit, tool, repo, mode, f"{tool.name}/{number}", tree)
        for number, tree in enumerate((place.first, place.second))
        for tool in BOTH
    ]
    assert at_once(repo, *writes) == [sums.first, sums.first, sums.alone, sums.alone]
    # What the second commits brought is garbage now, and wanted again while it is swept out.
    for tool in BOTH:
        tool(repo, "refs", "--delete", f"{tool.name}/1")
    pulls = [
        (tool, repo, "pull-local", f"--remote={tool.name}", work / "source", "second")
        for tool in BOTH
    ]
    outs = [
        (check_out, tool, repo, mode, f"{tool.name}/0", work / f"out-{tool.name}") for tool in BOTH
    ]
    at_once(repo, *pulls, *outs, *writes[2:])
    assert_same_checkouts(path, work / "out-ours", work / "out-peer")
    for tool in BOTH:
        tool(repo, "fsck", "-q")
        heads = dict.fromkeys(("ours/0", "peer/0"), sums.first)
        heads |= dict.fromkeys(("ours/1", "peer/1", "ours:second", "peer:second"), sums.alone)
        assert {ref: tool(repo, "rev-parse", ref) for ref in tool(repo, "refs").split()} == heads
    assert object_names(path) == object_names(work / "source")


def test_debian_as_tar(folder, debian_tree_path):
    """The same system from a tar archive: the same commit as from the directory."""
    archive = folder / "debian.tar"
    # Not the ACLs of one directory: two xattrs on one entry, which this peer commits unsorted.
    xattrs = ["--xattrs", "--xattrs-include=*", "--xattrs-exclude=system.posix_acl_*"]
    argv = ["tar", *xattrs, "--numeric-owner", "-C", str(debian_tree_path)]
    subprocess.run([*argv, "-cf", str(archive), "."], check=True)
    sums = {}
    for tool in BOTH:
        repo = make_repo(tool, folder / tool.name, "archive")
        sums[tool.name] = tool(repo, "commit", "-b", "debian", WHEN, f"--tree=tar={archive}")
    assert sums["ours"] == sums["peer"]
    PEER(f"--repo={folder / 'ours'}", "fsck", "-q")


def test_debian_pulled_from_archive_to_bare(folder, debian_tree_path):
    source = make_repo(OURS, folder / "archive", "archive")
    checksum = OURS(source, "commit", "-b", "debian", WHEN, f"--tree=dir={debian_tree_path}")
    make_repo(OURS, folder / "bare", "bare")
    OURS(f"--repo={folder / 'bare'}", "pull-local", folder / "archive", "debian")
    assert PEER(f"--repo={folder / 'bare'}", "rev-parse", "debian") == checksum
    PEER(f"--repo={folder / 'bare'}", "fsck", "-q")
