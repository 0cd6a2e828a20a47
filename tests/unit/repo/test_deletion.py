# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.deletion import delete_object
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import has_object
from ostrya.repo.verify import ObjectVerifier
from support.small_repos import WRITABLE_MODES, commit_files, make_repo, names_of


@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
@pytest.mark.parametrize("tombstones", [False, True])
def test_one_at_a_time(tmp_path, mode, tombstones):
    with make_repo(tmp_path / "repo", mode, tombstone_commits=str(tombstones).lower()) as repo:
        commit = commit_files(repo, tmp_path, {"f": "x"})
        write_detached(repo, commit, VarDict.of({"k": Variant("s", "v")}))
        tombstone = ObjectName(commit, ObjectType.TOMBSTONE_COMMIT)
        kinds = (ObjectType.COMMIT, ObjectType.DIR_TREE, ObjectType.DIR_META, ObjectType.FILE)
        for name in sorted(names_of(repo, *kinds)):
            before = names_of(repo, *kinds)
            delete_object(repo, name)
            assert before - names_of(repo, *kinds) == {name}
            with pytest.raises(ObjectNotFound, match=name.checksum):
                delete_object(repo, name)
        assert read_detached(repo, commit) is None
        assert has_object(repo, tombstone) is tombstones
        if tombstones:
            ObjectVerifier(repo).verify(tombstone)
