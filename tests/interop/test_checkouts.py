# SPDX-License-Identifier: Apache-2.0
"""Checkouts by either tool, of either's repository, are the same tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command

pytestmark = pytest.mark.peer

MODES = ("bare", "archive", "bare-user", "bare-user-only")
BOTH = (OURS, PEER)


@pytest.fixture(scope="module", params=MODES)
def repos(request, tmp_path_factory) -> dict[str, Path]:
    """One repository by each tool, in one mode, with two commits of the richest tree it holds."""
    folder = tmp_path_factory.mktemp("checkouts")
    tree = folder / "tree"
    tree.mkdir()
    if request.param == "bare-user-only":
        trees.plain_tree(tree)
    else:
        trees.full_tree(tree)
    made = {}
    for tool in BOTH:
        repo = made[tool.name] = folder / tool.name
        tool("init", f"--repo={repo}", f"--mode={request.param}")
    for subject in ("one", "two"):
        for tool in BOTH:
            extra = ["--canonical-permissions"] if request.param == "bare-user-only" else []
            arguments = [
                "-b",
                "main",
                "-s",
                subject,
                "--timestamp=@1700000000",
                *extra,
                f"--tree=dir={tree}",
            ]
            tool(f"--repo={made[tool.name]}", "commit", *arguments)
        trees.second_release(tree) if subject == "one" else None
    return made


def checkout(tool: Command, repo: Path, target: Path, *options: str) -> Path:
    tool(f"--repo={repo}", "checkout", *options, "main", target)
    return target


OPTION_SETS = {
    "default": (),
    "user mode": ("-U",),
    "hard links": ("-H",),
    "hard links, user mode": ("-U", "-H"),
    "copies": ("-C",),
    "copies, user mode": ("-U", "-C"),
    "without zero-sized hard links": ("-z",),
    "subpath": ("--subpath=/usr",),
    "subpath, one file": ("--subpath=/usr/bin/hello",),
    "bare-user-only permissions": ("-U", "-M"),
    "no fsync": ("--fsync=false",),
}


@pytest.mark.parametrize("options", OPTION_SETS.values(), ids=OPTION_SETS.keys())
def test_checkouts_are_the_same(tmp_path, repos, options):
    """Each tool on each repository: all four the same, or all four refused."""
    outcomes = {}
    for tool in BOTH:
        for maker, repo in repos.items():
            target = tmp_path / f"{tool.name}-on-{maker}"
            done = tool.run(f"--repo={repo}", "checkout", *options, "main", target)
            outcomes[target.name] = (
                done.returncode != 0,
                done.stderr.decode(errors="replace"),
                target,
            )
    refused = {name: outcome[1] for name, outcome in outcomes.items() if outcome[0]}
    assert len(refused) in (0, 4), refused
    if not refused:
        left, *others = (outcome[2] for outcome in outcomes.values())
        for right in others:
            trees.assert_same_tree(left, right, mtimes=True)


@pytest.mark.parametrize("options", [("-H",), ("-U", "-H")], ids=["plain", "user mode"])
def test_hard_link_checkouts_share_the_objects_inodes(tmp_path, repos, options):
    """What the peer links into the object store, ours links too."""
    linked = {}
    for tool in BOTH:
        target = tmp_path / tool.name
        if (
            tool.run(f"--repo={repos['peer']}", "checkout", *options, "main", target).returncode
            != 0
        ):
            pytest.skip("this mode has no such checkout")
        objects = {os.lstat(p).st_ino for p in (repos["peer"] / "objects").rglob("*.file*")}
        linked[tool.name] = {
            os.path.relpath(os.path.join(folder, name), target)
            for folder, _dirs, files in os.walk(target)
            for name in files
            if os.lstat(os.path.join(folder, name)).st_ino in objects
        }
    assert linked["ours"] == linked["peer"]


@pytest.mark.parametrize(
    "union", ["--union", "--union-add", "--union-identical"], ids=["union", "add", "identical"]
)
def test_union_checkouts_end_the_same(tmp_path, repos, union):
    results = {}
    for tool in BOTH:
        target = tmp_path / tool.name
        trees.write(target / "usr/bin/hello", b"was here before\n")
        trees.write(target / "usr/local/kept", b"kept\n")
        options = ["-U", *(["-H"] if union == "--union-identical" else [])]
        done = tool.run(f"--repo={repos['peer']}", "checkout", *options, union, "main", target)
        results[tool.name] = done.returncode != 0
    assert results["ours"] == results["peer"]
    if not results["peer"]:
        trees.assert_same_tree(tmp_path / "ours", tmp_path / "peer")
    else:
        assert (tmp_path / "ours/usr/bin/hello").read_bytes() == b"was here before\n"


@pytest.mark.parametrize("union", ["--union", "--union-add"])
@pytest.mark.parametrize(
    "stands_for_usr",
    ["real", "./real/../real", "nowhere", None],
    ids=["link", "detour", "dangling", "file"],
)
def test_unions_through_what_is_there(tmp_path, repos, union, stands_for_usr):
    """A link may stand for a directory; nothing else may."""
    results = {}
    for tool in BOTH:
        target = tmp_path / tool.name
        (target / "real").mkdir(parents=True)
        if stands_for_usr is None:
            (target / "usr").write_bytes(b"a file\n")
        else:
            (target / "usr").symlink_to(stands_for_usr)
        done = tool.run(f"--repo={repos['peer']}", "checkout", "-U", union, "main", target)
        results[tool.name] = done.returncode != 0
    assert results["ours"] == results["peer"] == (stands_for_usr in {"nowhere", None})
    if not results["peer"]:
        assert (tmp_path / "ours/real/bin").is_dir()
        trees.assert_same_tree(tmp_path / "ours", tmp_path / "peer")


def test_unions_never_lead_out(tmp_path, repos):
    """libostree would write there."""
    outside, target = tmp_path / "outside", tmp_path / "target"
    outside.mkdir()
    target.mkdir()
    (target / "usr").symlink_to(outside)
    done = OURS.run(f"--repo={repos['ours']}", "checkout", "-U", "--union", "main", target)
    assert done.returncode != 0
    assert "/usr/bin: A symbolic link leads out of the directory" in done.stderr.decode()
    assert list(outside.iterdir()) == []


def test_checkout_from_file_and_skip_list(tmp_path, repos):
    for tool in BOTH:
        trees.write(tmp_path / "skip", b"/odd/\n/etc\n/usr/bin\n/usr/lib/libx.so\n")
        trees.write(tmp_path / "list", b"main\x00/usr/bin\x00main\x00/etc\x00")
        target = tmp_path / tool.name
        target.mkdir()
        repo = f"--repo={repos['peer']}"
        tool(repo, "checkout", "-U", f"--skip-list={tmp_path / 'skip'}", "main", target / "skipped")
        (target / "listed").mkdir()
        tool(
            repo,
            "checkout",
            "-U",
            "--union",
            f"--from-file={tmp_path / 'list'}",
            target / "listed",
        )
    trees.assert_same_tree(tmp_path / "ours", tmp_path / "peer")


def test_checkout_over_an_existing_directory_is_refused_and_changes_nothing(tmp_path, repos):
    for tool in BOTH:
        target = tmp_path / tool.name
        trees.write(target / "kept", b"kept\n")
        words = tool.fails(f"--repo={repos['ours']}", "checkout", "-U", "main", target)
        assert tool.name in words or "exists" in words
    trees.assert_same_tree(tmp_path / "ours", tmp_path / "peer")


def test_the_committed_tree_comes_back(tmp_path):
    """Ours alone: out is what went in, hard links aside."""
    tree = tmp_path / "tree"
    tree.mkdir()
    trees.full_tree(tree)
    os.removexattr(tree / "xattr/one", "user.empty")  # libostree leaves empty ones out
    for name in ("usr/share/second", "etc/third"):  # links within a tree are not recorded
        content = (tree / name).read_bytes()
        (tree / name).unlink()
        trees.write(tree / name, content)
    OURS("init", f"--repo={tmp_path / 'repo'}", "--mode=bare")
    OURS(f"--repo={tmp_path / 'repo'}", "commit", "-b", "main", f"--tree=dir={tree}")
    back = checkout(OURS, tmp_path / "repo", tmp_path / "back", "-C")
    trees.assert_same_tree(tree, back)
