# SPDX-License-Identifier: Apache-2.0
"""The same tree, time and metadata give the same commit with either tool, in each writable mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command

pytestmark = pytest.mark.peer

MODES = ("bare", "archive", "bare-user", "bare-user-only")
BOTH = (OURS, PEER)
WHEN = "--timestamp=2024-02-29 12:34:56 +0000"


def make_tree(top: Path, mode: str) -> Path:
    """The richest tree a mode can hold."""
    top.mkdir()
    return trees.plain_tree(top) if mode == "bare-user-only" else trees.full_tree(top)


def init(tool: Command, repo: Path, mode: str) -> Command:
    """A new repository; the tool bound to it."""
    tool("init", f"--repo={repo}", f"--mode={mode}")
    return Command(tool.path, tool.name, (f"--repo={repo}",))


def canonical(mode: str) -> list[str]:
    return ["--canonical-permissions"] if mode == "bare-user-only" else []


OPTIONS = {
    "plain": ["-s", "subject"],
    "body": ["-s", "subject – ünïcødé", "-m", "line one\nline two\n"],
    "no subject": [],
    "metadata strings": [
        "-s",
        "s",
        "--add-metadata-string=version=1.0",
        "--add-metadata-string=a.b=ünï",
    ],
    "metadata variants": [
        "-s",
        "s",
        "--add-metadata=n=uint32 7",
        "--add-metadata=t=(true, [1, 2, 3], 'x')",
    ],
    "detached metadata": ["-s", "s", "--add-detached-metadata-string=note=beside"],
    "owner": ["-s", "s", "--owner-uid=0", "--owner-gid=7"],
    "no xattrs": ["-s", "s", "--no-xattrs"],
    "canonical": ["-s", "s", "--canonical-permissions"],
    "bind ref": ["-s", "s", "--bind-ref=other", "--bind-ref=another"],
    "no bindings": ["-s", "s", "--no-bindings"],
    "no parent": ["-s", "s", "--parent=none"],
    "mode override": ["-s", "s", "--mode-ro-executables"],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_commit_checksum_is_the_same(tmp_path, mode, options):
    if not any(o.startswith("--owner") for o in options):  # neither goes with the other
        options = [*options, *(o for o in canonical(mode) if o not in options)]
    elif mode == "bare-user-only":
        pytest.skip("a bare-user-only repository stores no owners")
    tree = make_tree(tmp_path / "tree", mode)
    sums = {}
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, mode)
        sums[tool.name] = bound("commit", "-b", "main", WHEN, *options, f"--tree=dir={tree}")
    if sums["ours"] != sums["peer"]:
        # Say what differs, not only that something does.
        shown = {
            tool.name: tool(f"--repo={tmp_path / tool.name}", "show", "--raw", sums[tool.name])
            for tool in BOTH
        }
        assert shown["ours"] == shown["peer"]
        listed = {
            tool.name: PEER(f"--repo={tmp_path / tool.name}", "ls", "-RCX", "main") for tool in BOTH
        }
        assert listed["ours"] == listed["peer"]
    assert sums["ours"] == sums["peer"]


@pytest.mark.parametrize("mode", MODES)
def test_sizes(tmp_path, mode):
    """Only archives record sizes, and the same ones: their commits are the same commit."""
    tree = make_tree(tmp_path / "tree", mode)
    shown = {}
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, mode)
        options = ["-b", "main", WHEN, "--generate-sizes", *canonical(mode)]
        checksum = bound("commit", *options, f"--tree=dir={tree}")
        sizes = PEER.run(f"--repo={tmp_path / tool.name}", "show", "--print-sizes", "main")
        lines = sizes.stdout.decode().splitlines()
        shown[tool.name] = [checksum, *lines]
    assert shown["ours"] == shown["peer"]


def test_archive_objects_are_no_larger_in_sum(tmp_path):
    tree = make_tree(tmp_path / "tree", "archive")
    weight = {}
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, "archive")
        bound("commit", "-b", "main", WHEN, f"--tree=dir={tree}")
        weight[tool.name] = sum(p.stat().st_size for p in (tmp_path / tool.name).rglob("*.filez"))
    assert weight["ours"] <= weight["peer"]


@pytest.mark.parametrize("mode", MODES)
def test_second_commit_has_the_same_checksum_and_parent(tmp_path, mode):
    tree = make_tree(tmp_path / "tree", mode)
    bound = {tool.name: init(tool, tmp_path / tool.name, mode) for tool in BOTH}
    for command in bound.values():
        command("commit", "-b", "main", WHEN, "-s", "one", *canonical(mode), f"--tree=dir={tree}")
    trees.second_release(tree)
    sums = {
        name: command(
            "commit", "-b", "main", WHEN, "-s", "two", *canonical(mode), f"--tree=dir={tree}"
        )
        for name, command in bound.items()
    }
    assert sums["ours"] == sums["peer"]
    assert bound["ours"]("rev-parse", "main^") == bound["peer"]("rev-parse", "main^")


@pytest.mark.parametrize("mode", MODES)
def test_each_fsck_accepts_the_others_repository(tmp_path, mode):
    tree = make_tree(tmp_path / "tree", mode)
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, mode)
        bound("commit", "-b", "main", WHEN, *canonical(mode), f"--tree=dir={tree}")
    OURS(f"--repo={tmp_path / 'peer'}", "fsck")
    PEER(f"--repo={tmp_path / 'ours'}", "fsck")


@pytest.mark.parametrize("mode", MODES)
def test_repositories_hold_the_same_objects(tmp_path, mode):
    tree = make_tree(tmp_path / "tree", mode)
    held = {}
    for tool in BOTH:
        repo = tmp_path / tool.name
        bound = init(tool, repo, mode)
        bound("commit", "-b", "main", WHEN, *canonical(mode), f"--tree=dir={tree}")
        held[tool.name] = {
            name: node._replace(content="" if name.endswith(".filez") else node.content)
            for name, node in trees.snapshot(repo / "objects", mtimes=True).items()
        }
    found = trees.differences(held["ours"], held["peer"])
    assert not found, "\n".join(found[:20])


@pytest.mark.parametrize("mode", MODES)
def test_repository_skeletons_are_the_same(tmp_path, mode):
    """Folders, their modes and the config that ``init`` writes."""
    for tool in BOTH:
        init(tool, tmp_path / tool.name, mode)
    trees.assert_same_tree(tmp_path / "ours", tmp_path / "peer")


def _overlay(tmp_path: Path) -> list[str]:
    base, top = tmp_path / "base", tmp_path / "top"
    trees.plain_tree(base)
    trees.write(top / "usr/bin/hello", b"replaced\n", 0o755)
    trees.write(top / "added", b"added\n")
    return [f"--tree=dir={base}", f"--tree=dir={top}"]


def _tar(tmp_path: Path) -> list[str]:
    import tarfile

    tree = trees.plain_tree(tmp_path / "tree")
    (tree / "odd" / "a\u0301").unlink()  # libarchive composes such names
    with tarfile.open(tmp_path / "tree.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.add(tree, arcname=".")
    return [f"--tree=tar={tmp_path / 'tree.tar.gz'}"]


def _statoverride(tmp_path: Path) -> list[str]:
    tree = trees.plain_tree(tmp_path / "tree")
    trees.write(tmp_path / "override", b"+2048 /usr/bin/hello\n=256 /etc/empty\n")
    return [f"--statoverride={tmp_path / 'override'}", f"--tree=dir={tree}"]


def _skip_list(tmp_path: Path) -> list[str]:
    tree = trees.plain_tree(tmp_path / "tree")
    trees.write(tmp_path / "skip", b"/odd\n/usr/bin/hello\n")
    return [f"--skip-list={tmp_path / 'skip'}", f"--tree=dir={tree}"]


KINDS_OF_TREE = {
    "overlay": _overlay,
    "tar": _tar,
    "statoverride": _statoverride,
    "skip list": _skip_list,
}


@pytest.mark.parametrize("make", KINDS_OF_TREE.values(), ids=KINDS_OF_TREE.keys())
def test_every_kind_of_tree_gives_the_same_commit(tmp_path, make):
    arguments = make(tmp_path)
    sums = {}
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, "archive")
        sums[tool.name] = bound("commit", "-b", "main", WHEN, "-s", "s", *arguments)
    assert sums["ours"] == sums["peer"]


def test_a_ref_under_a_directory(tmp_path):
    tree = trees.plain_tree(tmp_path / "tree")
    sums = {}
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, "archive")
        bound("commit", "-b", "base", WHEN, "-s", "s", f"--tree=dir={tree}")
        arguments = ("--tree=ref=base", f"--tree=dir={tree}/etc")
        sums[tool.name] = bound("commit", "-b", "derived", WHEN, "-s", "s", *arguments)
    assert sums["ours"] == sums["peer"]


@pytest.mark.parametrize(
    "when", ["November 05 1955", "0950-01-01", "@-1", "1970-01-01 00:00 +0000"]
)
def test_times_before_1970(tmp_path, when):
    (tmp_path / "tree").mkdir()
    seen = set()
    for tool in BOTH:
        bound = init(tool, tmp_path / tool.name, "archive")
        sums = bound("commit", "-b", "main", f"--timestamp={when}", f"--tree=dir={tmp_path}/tree")
        bound("summary", "-u")
        views = [
            line
            for reader in BOTH
            for verb in (["log", "main"], ["summary", "-v"])
            for line in reader(f"--repo={tmp_path / tool.name}", *verb).splitlines()
            if "Date" in line or "ostree.commit.timestamp" in line
        ]
        seen.add((sums, *views[2:]))
        assert views[:2] == views[2:]
    assert len(seen) == 1
