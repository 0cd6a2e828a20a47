# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.reader import load_commit
from ostrya.tree.bootable import find_kernel_release, with_bootable_keys
from ostrya.tree.commit import TreeRoot
from ostrya.tree.errors import KernelNotFound
from support.small_repos import commit_files, make_repo


@pytest.fixture
def find(tmp_path):
    with make_repo(tmp_path / "repo") as repo:

        def find(files) -> str:
            commit = load_commit(repo, commit_files(repo, tmp_path, dict.fromkeys(files, "x")))
            root = TreeRoot(commit.root_contents, commit.root_metadata)
            return find_kernel_release(repo, root)

        yield find


def test_the_one_kernel(find):
    files = ["usr/lib/modules/6.1/vmlinuz", "usr/lib/modules/5.0/modules.dep", "usr/lib/modules/f"]
    assert find(files) == "6.1"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["f"], "usr/lib/modules: No such file"),
        (["usr/lib/modules"], "usr/lib/modules: No such file"),
        (["usr/lib/modules/vmlinuz"], "No kernel found"),
        (["usr/lib/modules/1/vmlinuz", "usr/lib/modules/2/vmlinuz"], "Multiple kernels"),
    ],
)
def test_none_or_many(find, files, words):
    with pytest.raises(KernelNotFound, match=words):
        find(files)


def test_the_keys_replace_what_was_there():
    metadata = VarDict.of({"version": Variant("s", "1"), "ostree.linux": Variant("s", "old")})
    found = with_bootable_keys(metadata, "6.1")
    assert sorted(key for key, _ in found) == ["ostree.bootable", "ostree.linux", "version"]
    assert found.lookup("ostree.linux", "s") == "6.1"
    assert found.lookup("ostree.bootable", "b") is True
