# SPDX-License-Identifier: Apache-2.0
"""The proofs on a whole Debian root file system, some 18,000 entries."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command

pytestmark = [
    pytest.mark.peer, pytest.mark.root, pytest.mark.rootfs,
    pytest.mark.xdist_group("rootfs"), pytest.mark.timeout(900),
]  # fmt: skip

BOTH = (OURS, PEER)
WHEN = "--timestamp=@1700000000"


@pytest.fixture(scope="module")
def folder(debian_tree_path) -> Iterator[Path]:
    """A folder on the file system of the tree."""
    top = Path(tempfile.mkdtemp(prefix="test-rootfs-", dir=debian_tree_path.parent))
    yield top
    shutil.rmtree(top)


def make_repo(tool: Command, path: Path, mode: str) -> str:
    """An empty repository that does not wait for the disk; its ``--repo`` option."""
    tool("init", f"--repo={path}", f"--mode={mode}")
    with (path / "config").open("a") as config:
        config.write("fsync=false\n")
    return f"--repo={path}"


@pytest.mark.parametrize("mode", ["bare", "archive", "bare-user", "bare-user-only"])
def test_debian(folder, debian_tree_path, mode):
    """One commit checksum, each other's fsck, one tree out; then the unchanged tree again."""
    extra = ["--canonical-permissions"] if mode == "bare-user-only" else []
    arguments = ["-b", "debian", WHEN, *extra, f"--tree=dir={debian_tree_path}"]
    work = folder / mode
    sums = {}
    for tool in BOTH:
        work.mkdir(exist_ok=True)
        repo = make_repo(tool, work / tool.name, mode)
        sums[tool.name] = tool(repo, "commit", *arguments)
    assert sums["ours"] == sums["peer"]
    OURS(f"--repo={work / 'peer'}", "fsck", "-q")
    PEER(f"--repo={work / 'ours'}", "fsck", "-q")
    options = ("-U", "-H") if mode.startswith("bare-user") else ("-H",) if mode == "bare" else ()
    for tool in BOTH:
        tool(f"--repo={work / 'ours'}", "checkout", *options, "debian", work / f"out-{tool.name}")
    trees.assert_same_tree(work / "out-ours", work / "out-peer", mtimes=True)
    if mode == "bare":
        left, right = trees.snapshot(debian_tree_path), trees.snapshot(work / "out-ours")
        # Links between names of a tree are not recorded; links to objects appear instead.
        left, right = ({k: v._replace(linked_with="") for k, v in s.items()} for s in (left, right))
        assert not trees.differences(left, right)
    objects = {p.name for p in (work / "ours" / "objects").rglob("*.*")}
    assert objects == {p.name for p in (work / "peer" / "objects").rglob("*.*")}
    again = {tool.name: tool(f"--repo={work / 'ours'}", "commit", *arguments) for tool in BOTH}
    assert len({p.name for p in (work / "ours" / "objects").rglob("*.*")}) == len(objects) + len(
        set(again.values())
    )
    shutil.rmtree(work)


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
