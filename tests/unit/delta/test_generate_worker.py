# SPDX-License-Identifier: Apache-2.0
"""The worker that makes parts: partners are tried, and costs compared."""

from __future__ import annotations

import os
import random

import pytest

from ostrya.delta.generate_worker import make_part_worker, make_sketch_worker
from ostrya.delta.plan import DeltaLimits, Workshop
from ostrya.delta.similarity import sketch
from ostrya.delta.tally import Tally
from ostrya.formats.object_name import ObjectType
from support.small_repos import commit_tree, make_repo

FILE = int(ObjectType.FILE)


@pytest.fixture
def stored(tmp_path):
    """Keeps files in a repository; gives it, and the names of their objects."""
    rng = random.Random(9)
    base = bytes(rng.choices(range(64), k=60_000))
    files = {
        "new": base[:30_000] + b"inserted" + base[30_000:],
        "likely": bytes(rng.choices(range(64), k=60_000)),
        "right": base,
        "hidden": base + b"!",
    }
    top = tmp_path / "tree"
    top.mkdir()
    for name, content in files.items():
        (top / name).write_bytes(content)
    (top / "hidden").chmod(0o600)
    from ostrya.delta.trees import read_tree

    with make_repo(tmp_path / "repo") as repo:
        tree = read_tree(repo, commit_tree(repo, top))
        yield repo, {paths[0]: str(checksum) for checksum, paths in tree.files.items()}, files


def shipped(stored, tmp_path, partners, limits=None):
    repo, names, _ = stored
    out_fd = os.open(tmp_path, os.O_RDONLY)
    worker = make_part_worker(
        repo, out_fd, limits or DeltaLimits(), Workshop(1), Tally([1 << 20] * 8)
    )()
    tasks = [(FILE, names["new"], 60_008, tuple(names[one] for one in partners))]
    number, temporary, part, [entry] = worker((7, tasks))
    os.close(out_fd)
    assert number == 7
    if part is not None:
        assert (tmp_path / temporary).stat().st_size == part[1]
    return entry, part


@pytest.mark.parametrize(
    ("partners", "how"),
    [
        ([], "whole"),
        (["right"], "patch"),
        (["likely"], "whole"),
        (["likely", "right"], "patch"),
        (["hidden"], "whole"),
    ],
)
def test_partners(stored, tmp_path, partners, how):
    entry, part = shipped(stored, tmp_path, partners)
    assert entry[1] == how
    assert part[1] < (2000 if how == "patch" else 60_000)


def test_ranges_where_patches_are_not_wanted(stored, tmp_path):
    entry, part = shipped(stored, tmp_path, ["right"], DeltaLimits(patches=False))
    assert entry[1] == "ranges"
    assert part[1] < 2000


def test_a_part_of_nothing_but_fallbacks_is_not_made(stored, tmp_path):
    entry, part = shipped(stored, tmp_path, [], DeltaLimits(min_fallback=1000))
    assert entry[1] == "fallback"
    assert part is None


@pytest.mark.parametrize("spill", [1, 1 << 20])
def test_sketches(stored, spill):
    repo, names, files = stored
    work = make_sketch_worker(repo, spill)()
    assert work([(names["new"], True)]) == [(names["new"], True, sketch(files["new"]))]
