# SPDX-License-Identifier: Apache-2.0
"""What a delta has to make, and from what."""

from __future__ import annotations

import random

import pytest

from ostrya.delta.gather import gather_objects
from ostrya.delta.plan import Workshop
from ostrya.formats.delta_name import DeltaName
from support.small_repos import commit_tree, make_repo


def test_new_objects_and_their_partners(tmp_path):
    rng = random.Random(3)
    top = tmp_path / "tree"
    top.mkdir()
    lines = b"\n".join(rng.randbytes(20).hex().encode() for _ in range(500))
    (top / "tool").write_bytes(b"tool 1")
    (top / "before").write_bytes(lines)
    (top / "stays").write_bytes(b"stays")
    with make_repo(tmp_path / "repo") as repo:
        old = commit_tree(repo, top)
        (top / "tool").write_bytes(b"tool 2")
        (top / "before").unlink()
        (top / "renamed").write_bytes(lines + b"\nmore\n")
        (top / "link").symlink_to("tool")
        new = commit_tree(repo, top, parent=old)
        gathered = gather_objects(repo, DeltaName(new, old), Workshop(1))
        assert gathered.links == 1
        assert sorted(gathered.paths.values()) == ["link", "renamed", "tool"]
        partners = {one.path: len(one.partners) for one in gathered.objects}
        # The root directory is new, and has no path.
        assert partners == {"": 0, "link": 0, "renamed": 1, "tool": 1}
        name = DeltaName(new, old)
        same = gather_objects(repo, name, Workshop(1), same_path_only=True).objects
        assert [one.path for one in same if one.partners] == ["tool"]
        everything = gather_objects(repo, DeltaName(new, None), Workshop(1))
        assert not any(one.partners for one in everything.objects)
        assert len(everything.paths) == 4


@pytest.mark.parametrize(("mebibytes", "found"), [(0.5, 0), (2, 1)])
def test_much_that_is_new_is_compared_with_what_has_a_successor_too(tmp_path, mebibytes, found):
    top = tmp_path / "tree"
    top.mkdir()
    content = random.Random(4).randbytes(int(mebibytes * (1 << 20)))
    (top / "tool").write_bytes(content)
    with make_repo(tmp_path / "repo") as repo:
        old = commit_tree(repo, top)
        (top / "tool").write_bytes(content + b"2")
        (top / "copy").write_bytes(content + b"a copy")
        new = commit_tree(repo, top, parent=old)
        gathered = gather_objects(repo, DeltaName(new, old), Workshop(1))
        partners = {one.path: len(one.partners) for one in gathered.objects}
        assert partners == {"": 0, "tool": 1, "copy": found}
