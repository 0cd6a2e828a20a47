# SPDX-License-Identifier: Apache-2.0
"""What a commit holds."""

from __future__ import annotations

from ostrya.delta.trees import read_tree
from ostrya.formats.object_name import ObjectType
from ostrya.repo.traverse import reachable_objects
from support.small_repos import commit_tree, make_repo


def test_everything_that_a_commit_reaches(tmp_path):
    top = tmp_path / "tree"
    (top / "a/b").mkdir(parents=True)
    (top / "a/one").write_bytes(b"same")
    (top / "a/b/two").write_bytes(b"same")
    (top / "three").write_bytes(b"other")
    with make_repo(tmp_path / "repo") as repo:
        commit = commit_tree(repo, top)
        tree = read_tree(repo, commit)
        assert sorted(sorted(paths) for paths in tree.files.values()) == [
            ["a/b/two", "a/one"],
            ["three"],
        ]
        reached = set(reachable_objects(repo, [commit]))
        assert set(tree.metadata) == {
            name for name in reached if name.type in {ObjectType.DIR_TREE, ObjectType.DIR_META}
        }
        assert {file.checksum for file in tree.names()} == set(tree.files)


def test_nothing(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        assert read_tree(repo, None) == ({}, {})
