# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import random

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import Commit
from ostrya.formats.dirtree import DirTree
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull import planner as planner_module
from ostrya.pull.planner import ALL_PARENTS, DigestQueue, Planner, Wanted


def checksum(text: str) -> Checksum:
    return Checksum(hashlib.sha256(text.encode()).hexdigest())


def commit(root: str = "root", parent: str | None = None) -> Commit:
    above = None if parent is None else checksum(parent)
    return Commit(VarDict(), above, (), "", "", 0, checksum(root), checksum("meta"))


def tree(files: str = "", dirs: str = "") -> DirTree:
    return DirTree(
        tuple((name, checksum(f"file {name}")) for name in files.split()),
        tuple((name, checksum(f"dir {name}"), checksum("meta")) for name in dirs.split()),
    )


def drain(planner: Planner) -> list[Wanted]:
    return list(iter(planner.next_metadata, None))


def contents(planner: Planner) -> list[Checksum]:
    return list(iter(planner.next_content, None))


def name(text: str, kind: ObjectType = ObjectType.DIR_TREE) -> ObjectName:
    return ObjectName(checksum(text), kind)


def test_a_tree_breadth_first_and_everything_once():
    planner = Planner()
    planner.want_commit(checksum("c"))
    planner.want_commit(checksum("c"))
    (wanted,) = drain(planner)
    assert wanted == Wanted(name("c", ObjectType.COMMIT))
    planner.commit_here(wanted, commit(), complete=False)
    root, meta = drain(planner)
    assert (root, meta.name) == (Wanted(name("root"), "/"), name("meta", ObjectType.DIR_META))
    planner.dirtree_here(root, tree("a b", "x y"))
    planner.dirtree_here(Wanted(name("other"), "/z/"), tree("a c", "x"))
    assert drain(planner) == [Wanted(name("dir x"), "/x/"), Wanted(name("dir y"), "/y/")]
    assert planner.content_waiting == 3
    assert contents(planner) == [checksum(f"file {one}") for one in "abc"]
    assert planner.is_empty
    assert (planner.metadata_found, planner.content_found) == (5, 3)


def test_a_complete_commit_is_not_walked():
    planner = Planner()
    planner.commit_here(Wanted(name("c", ObjectType.COMMIT)), commit(), complete=True)
    assert planner.is_empty


HISTORY = {
    # Two branches that meet at e: one of them three generations away, the other one.
    "a": "b", "b": "c", "c": "e", "x": "e", "e": "f", "f": "g", "g": "h", "h": None,
}  # fmt: skip


def walk(heads: list[tuple[str, int]], order: random.Random) -> set[str]:
    """All commits that are wanted, where answers come in any order."""
    planner = Planner(commits_only=True)
    for head, depth in heads:
        planner.want_commit(checksum(head), depth)
    names = {checksum(one): one for one in HISTORY}
    under_way, found = drain(planner), []
    while under_way:
        wanted = under_way.pop(order.randrange(len(under_way)))
        one = names[wanted.name.checksum]
        assert wanted.is_parent is all(one != head for head, _ in heads)
        found.append(one)
        planner.commit_here(wanted, commit(parent=HISTORY[one]), complete=False)
        under_way += drain(planner)
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize(
    ("depth", "wanted"),
    [(0, "a"), (1, "ab"), (3, "abce"), (ALL_PARENTS, "abcefgh"), (99, "abcefgh")],
)
def test_parents(depth, wanted):
    assert walk([("a", depth)], random.Random(0)) == set(wanted)


@pytest.mark.parametrize("seed", range(30))
def test_histories_that_meet(seed):
    order = random.Random(seed)
    assert walk([("a", 3), ("x", 3)], order) == set("abcexfg")
    assert walk([("x", 1), ("a", 4)], order) == set("abcexf")
    assert walk([("a", 3), ("x", ALL_PARENTS)], order) == set("abcexfgh")


@pytest.mark.parametrize(
    ("subpath", "path", "files", "dirs"),
    [
        ("/usr/bin", "/", "", "usr"),
        ("/usr/bin", "/usr/", "", "bin"),
        ("/usr/bin", "/usr/bin/", "usr bin binary", "usr bin binary"),
        ("/usr/binary", "/usr/", "binary", "binary"),
        ("/bin", "/", "bin", "bin"),
    ],
)
def test_subpaths(subpath, path, files, dirs):
    """A file on the way is not wanted, unless the path is the file's own."""
    planner = Planner(subpaths=[subpath])
    planner.dirtree_here(Wanted(name("d"), path), tree("usr bin binary", "usr bin binary"))
    wanted_dirs = [one.path for one in drain(planner) if one.name.type == ObjectType.DIR_TREE]
    assert wanted_dirs == [f"{path}{one}/" for one in dirs.split()]
    found = set(contents(planner))
    if subpath == "/usr/bin" and path == "/usr/":
        assert found == {checksum("file bin")}
    else:
        assert found == {checksum(f"file {one}") for one in files.split()}


def test_a_directory_at_two_places_is_wanted_in_part_and_whole():
    planner = Planner(subpaths=["/a/sub", "/b"])
    shared = DirTree((("f", checksum("f")),), ())
    for path in ("/a/", "/b/"):
        planner.dirtree_here(Wanted(name("same"), path), shared)
    assert contents(planner) == [checksum("f")]


def test_a_bomb_of_directories_is_walked_once():
    """Each holds the next one twice: 2 ** 64 paths, and 65 directories."""
    planner = Planner(subpaths=["/d/x"])
    root = DirTree((), (("d", checksum("0"), checksum("meta")),))
    planner.dirtree_here(Wanted(name("root"), "/"), root)
    visits = 0
    while (wanted := planner.next_metadata()) is not None:
        if wanted.name.type == ObjectType.DIR_TREE:
            visits += 1
            below = checksum(str(wanted.path.count("/") - 1))
            entries = tuple((one, below, checksum("meta")) for one in ("x", "y"))
            planner.dirtree_here(wanted, DirTree((), entries if visits < 100 else ()))
    assert visits < 110


def test_a_queue_sheds_what_was_taken(monkeypatch):
    monkeypatch.setattr(planner_module, "_SHED_BYTES", 64)
    queue = DigestQueue()
    expected = [checksum(str(number)) for number in range(100)]
    taken = []
    for one in expected:
        queue.push(one)
        queue.push(one)
        taken.append(queue.pop())
    assert len(queue) == 100
    while (found := queue.pop()) is not None:
        taken.append(found)
    assert taken == [one for one in expected for _ in range(2)]
    assert queue.pop() is None
