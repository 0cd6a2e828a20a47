# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ostrya.formats.object_name import ObjectType
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.uncompressed_cache import UncompressedCache, collect_garbage
from support import trees
from support.small_repos import commit_files, commit_tree, configure, names_of

USER = CheckoutOptions(user_mode=True, uncompressed_cache=True, overwrite=Overwrite.UNION_FILES)


def cached(repo) -> list[Path]:
    return sorted(Path(repo.path, "uncompressed-objects-cache").rglob("*.file"))


def lay_out(repo, commit, path, options=USER) -> None:
    checkout_commit(repo, commit, str(path), options=options, jobs=1)


def test_checkouts_share_inflated_files(repo, tmp_path):
    commit = commit_files(repo, tmp_path, {"f": "content", "empty": ""})
    for name in ("one", "two"):
        lay_out(repo, commit, tmp_path / name)
    assert (tmp_path / "one/f").samefile(tmp_path / "two/f")
    (only,) = cached(repo)
    assert only.samefile(tmp_path / "one/f")


@pytest.mark.parametrize(
    "options",
    [USER._replace(uncompressed_cache=False), USER._replace(force_copy=True), USER._replace(user_mode=False)],
)  # fmt: skip
def test_not_used_otherwise(repo, tmp_path, options):
    commit = commit_files(repo, tmp_path, {"f": "content"})
    lay_out(repo, commit, tmp_path / "out", options)
    assert cached(repo) == []
    assert (tmp_path / "out/f").stat().st_nlink == 1


def test_nor_where_the_configuration_forbids_it(repo, tmp_path):
    configure(repo, enable_uncompressed_cache="false")
    lay_out(repo, commit_files(repo, tmp_path, {"f": "content"}), tmp_path / "out")
    assert cached(repo) == []


def test_nobody_gets_a_setuid_file_to_link_to(repo, tmp_path):
    trees.write(tmp_path / "tree/setuid", b"x", 0o6755)
    commit = commit_tree(repo, tmp_path / "tree", modifier=CommitModifier())
    lay_out(repo, commit, tmp_path / "out")
    (only,) = cached(repo)
    assert stat.S_IMODE(only.stat().st_mode) == 0o755


def test_what_nobody_links_to_is_collected(repo, tmp_path):
    commit = commit_files(repo, tmp_path, {"f": "content"})
    lay_out(repo, commit, tmp_path / "out")
    (only,) = cached(repo)
    collect_garbage(repo, [only.parent.name])
    assert cached(repo) == [only]
    (tmp_path / "out/f").unlink()
    collect_garbage(repo, [only.parent.name])
    assert cached(repo) == []


def test_two_who_collect_at_once(repo, tmp_path, monkeypatch):
    commit = commit_files(repo, tmp_path, {"f": "content"})
    lay_out(repo, commit, tmp_path / "out")
    (only,) = cached(repo)
    (tmp_path / "out/f").unlink()
    real = os.unlink

    def twice(name, **options):
        real(name, **options)
        real(name, **options)

    monkeypatch.setattr(os, "unlink", twice)
    collect_garbage(repo, [only.parent.name])


def test_collected_before_it_was_linked_it_is_copied(repo, tmp_path, monkeypatch):
    commit = commit_files(repo, tmp_path, {"f": "content"})
    real = UncompressedCache.ensure

    def ensure_and_lose(self, checksum, loaded):
        found = real(self, checksum, loaded)
        os.unlink(found[1], dir_fd=found[0])
        return found

    monkeypatch.setattr(UncompressedCache, "ensure", ensure_and_lose)
    lay_out(repo, commit, tmp_path / "out")
    assert (tmp_path / "out/f").read_text() == "content"
    assert names_of(repo, ObjectType.FILE)
