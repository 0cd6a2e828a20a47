# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.staged import staged_path

SUM = "ab" + "c" * 62


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        (ObjectType.FILE, "ab"),
        (ObjectType.DIR_TREE, "meta"),
        (ObjectType.DIR_META, "meta"),
        (ObjectType.COMMIT, "meta"),
        (ObjectType.COMMIT_META, "meta"),
    ],
)
@pytest.mark.parametrize("archive", [False, True])
def test_what_names_others_lies_apart(kind, folder, archive):
    path = loose_path(ObjectName(SUM, kind), archive=archive)
    name = path[3:] if folder == "ab" else f"ab{path[3:]}"
    assert staged_path(path) == f"{folder}/{name}"
