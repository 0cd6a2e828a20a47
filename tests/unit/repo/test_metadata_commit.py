# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.commit import collection_binding, ref_bindings
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.errors import RepoConfigError
from ostrya.repo.metadata_commit import METADATA_REF, write_metadata_commit
from ostrya.repo.reader import load_commit, load_dirtree
from ostrya.repo.refs import resolve_ref
from support.small_repos import make_repo


def test_one_after_another(tmp_path):
    with make_repo(tmp_path / "repo", collection_id="org.example.X") as repo:
        one = write_metadata_commit(repo, VarDict.of({"k": Variant("s", "v")}), now=5)
        two = write_metadata_commit(repo, now=6)
        assert resolve_ref(repo, None, METADATA_REF) == two
        assert load_commit(repo, two).parent == one
        commit = load_commit(repo, one)
        assert (commit.timestamp, commit.parent) == (5, None)
        assert collection_binding(commit.metadata) == "org.example.X"
        assert tuple(ref_bindings(commit.metadata)) == (METADATA_REF,)
        assert commit.metadata.lookup("k", "s") == "v"
        tree = load_dirtree(repo, commit.root_contents)
        assert (tree.files, tree.dirs) == ((), ())


def test_without_a_collection(tmp_path):
    with (
        make_repo(tmp_path / "repo") as repo,
        pytest.raises(RepoConfigError, match="collection ID"),
    ):
        write_metadata_commit(repo)
