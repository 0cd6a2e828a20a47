# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.base_tree import BaseWish, base_key, find_base, make_base
from ostrya.image.cache import Cache
from ostrya.image.convert import ConvertOptions
from ostrya.image.source_kinds import ArchiveSource
from ostrya.image.tree import TreeEditor
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import tree_from_commit
from support.image_world import KVER, NEWEST


@pytest.fixture
def cache(tmp_path):
    return Cache(str(tmp_path / "cache"))


def wish(path, fstab=()):
    return BaseWish(ArchiveSource(path), ConvertOptions(fstab), "code")


def test_what_was_made_is_found_again(cache, rootfs):
    wanted = wish(rootfs, ("LABEL=x /x ext4 defaults 0 0",))
    key = base_key(cache, wanted)
    with cache.repository(1) as repo:
        assert find_base(cache, repo, key) is None
        made = make_base(cache, repo, key, wanted)
        assert find_base(cache, repo, key) == made
        assert (made.kver, made.timestamp) == (KVER, NEWEST)
        assert "moved /etc to /usr/etc" in made.decisions
        assert not any(line.startswith("built") for line in made.decisions)
        with Transaction(repo) as tx:
            editor = TreeEditor(tx, tree_from_commit(repo, made.commit))
            assert editor.read("usr/etc/fstab").endswith(b"LABEL=x /x ext4 defaults 0 0\n")
    with cache.repository(6) as other:
        assert find_base(cache, other, key) is None


def test_keys_differ_by_all_that_matters(cache, rootfs):
    first = base_key(cache, wish(rootfs))
    assert first != base_key(cache, wish(rootfs, ("x",)))
    assert first != base_key(cache, wish(rootfs)._replace(code="newer"))
    os.utime(rootfs, (1, 1))
    assert first == base_key(cache, wish(rootfs))
