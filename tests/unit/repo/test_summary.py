# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ostrya.errors import RepoError
from ostrya.formats.delta_name import DeltaName, delta_dir
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.refs import CollectionRef
from ostrya.formats.summary import Summary
from ostrya.repo import summary as summary_module
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.ref_writer import write_collection_ref, write_ref
from ostrya.repo.summary import read_summary, regenerate_summary
from support.small_repos import commit_files, configure, make_repo


def test_refs_of_our_own(repo, tmp_path):
    one = commit_files(repo, tmp_path, {"f": "1"}, ref="one")
    two = commit_files(repo, tmp_path, {"f": "2"}, ref="a/two")
    write_ref(repo, "origin", "far", one)
    made = regenerate_summary(repo, now=7)
    assert read_summary(repo) == made.encode()
    found = Summary.decode(read_summary(repo))
    assert [(ref.name, ref.checksum) for ref in found.refs] == [("a/two", two), ("one", one)]


def test_the_same_again_but_for_the_time(repo, tmp_path):
    commit_files(repo, tmp_path, {"f": "1"})
    one = regenerate_summary(repo, now=7).encode()
    assert regenerate_summary(repo, now=7).encode() == one
    assert regenerate_summary(repo, now=8).encode() != one


def test_collections(tmp_path):
    with make_repo(tmp_path / "repo", collection_id="org.example.Own") as repo:
        own = commit_files(repo, tmp_path, {"f": "1"})
        other = commit_files(repo, tmp_path, {"f": "2"}, ref=None)
        write_collection_ref(repo, CollectionRef("org.example.Other", "x"), other)
        found = regenerate_summary(repo, now=7)
        assert own in str(found)
        assert "org.example.Other" in str(found)


def test_a_signature_of_the_old_one_goes(repo):
    (Path(repo.path) / "summary.sig").touch()
    regenerate_summary(repo, now=7)
    assert not (Path(repo.path) / "summary.sig").exists()


def test_a_ref_to_nothing_leaves_the_old_one(repo, tmp_path):
    commit_files(repo, tmp_path, {"f": "1"})
    before = regenerate_summary(repo, now=7).encode()
    write_ref(repo, None, "broken", "ab" * 32)
    with pytest.raises(ObjectNotFound):
        regenerate_summary(repo, now=8)
    assert read_summary(repo) == before


@pytest.mark.parametrize("wanted", [True, False])
def test_deltas_with_the_digests_of_their_superblocks(repo, tmp_path, wanted):
    configure(repo, no_deltas_in_summary=str(not wanted).lower())
    commit = commit_files(repo, tmp_path, {"f": "1"})
    folder = Path(repo.path) / delta_dir(DeltaName(commit, None))
    folder.mkdir(parents=True)
    (folder / "superblock").write_bytes(b"superblock")
    found = regenerate_summary(repo, now=7).encode()
    assert (hashlib.sha256(b"superblock").digest() in found) is wanted


def test_further_metadata(repo):
    found = regenerate_summary(repo, VarDict.of({"example.key": Variant("s", "value")}), now=7)
    assert found.metadata.lookup("example.key", "s") == "value"


def test_none_and_one_that_is_too_large(repo, monkeypatch):
    with pytest.raises(FileNotFoundError):
        read_summary(repo)
    regenerate_summary(repo, now=7)
    monkeypatch.setattr(summary_module, "MAX_SUMMARY_BYTES", 3)
    with pytest.raises(RepoError, match="too large"):
        read_summary(repo)


def test_a_ref_that_is_set_meanwhile_is_in_it(tmp_path, monkeypatch):
    """Whoever writes an older list over a newer one writes again."""
    with make_repo(tmp_path / "repo") as repo:
        commit = commit_files(repo, tmp_path, {"f": "1"})
        real = summary_module.replace_file
        written = []

        def replace_file(name, data, **options):
            if not written:
                write_ref(repo, None, "other", commit)
            written.append(name)
            real(name, data, **options)

        monkeypatch.setattr(summary_module, "replace_file", replace_file)
        regenerate_summary(repo)
        assert written == ["summary", "summary"]
        found = Summary.decode(read_summary(repo))
        assert {ref.name for ref in found.refs} == {"main", "other"}


def test_a_superblock_larger_than_any(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        commit = commit_files(repo, tmp_path, {"f": "1"})
        superblock = tmp_path / "repo" / delta_dir(DeltaName(commit, None)) / "superblock"
        superblock.parent.mkdir(parents=True)
        with superblock.open("wb") as stream:
            stream.truncate(200 << 20)
        with pytest.raises(RepoError, match=r"deltas/.*superblock of repo .* is too large"):
            regenerate_summary(repo)
