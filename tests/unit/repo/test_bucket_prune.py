# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.checksum import to_modified_base64
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.summary import SummaryFacts, SummaryRef, build_summary
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_archive import object_path
from ostrya.pull.push_bucket import BucketTarget
from ostrya.pull.push_target import SummaryChoice
from ostrya.repo import bucket_marks
from ostrya.repo.bucket_prune import BucketPruneOptions, prune_bucket
from ostrya.repo.errors import BucketBusy, ObjectNotFound, RepoCorrupted, RepoNotFound
from ostrya.repo.packing import Packed
from ostrya.repo.refs import resolve_ref
from ostrya.repo.stores.bucket import BucketStore
from ostrya.sign.dummy import DummySigner
from support.pushing import memory_bucket, read_all, require_complete
from support.small_repos import commit_files

# Everything there is older than an hour from now.
ALL = BucketPruneOptions(refs_only=True, grace_s=-3600)


@pytest.fixture
def bucket(repo, tmp_path):
    """Three commits, each with a file of its own; a ref to the last one."""
    parent = None
    for number in range(3):
        files = {"same": "same", f"own/{number}": str(number)}
        parent = commit_files(repo, tmp_path, files, parent=parent, timestamp=number)
    bucket = memory_bucket()
    push(repo, BucketTarget(bucket), ["main"], PushOptions(depth=-1))
    return bucket


def commits(bucket) -> int:
    return sum(path.endswith(".commit") for path in bucket.list("objects"))


def test_nothing_to_delete(bucket):
    before = read_all(bucket)
    result = prune_bucket(bucket, ALL)
    assert result.pruned == 0
    assert result.total == len([path for path in before if path.startswith("objects/")])
    assert read_all(bucket) == before


@pytest.mark.parametrize(("depth", "left"), [(0, 1), (1, 2), (2, 3), (-1, 3)])
def test_depth(bucket, depth, left):
    options = ALL._replace(depth=depth)
    would = prune_bucket(bucket, options._replace(dry_run=True))
    assert commits(bucket) == 3
    assert prune_bucket(bucket, options) == would
    assert commits(bucket) == left
    # Each commit has a root, a folder and a file of its own.
    assert would.pruned == (3 - left) * 4
    assert (would.freed_bytes > 0) == (left < 3)
    require_complete(read_all(bucket))


def test_what_any_commit_reaches_stays_unless_told_otherwise(bucket):
    bucket.delete("refs/heads/main")
    assert prune_bucket(bucket, BucketPruneOptions(grace_s=-3600)).pruned == 0
    assert prune_bucket(bucket, ALL).pruned
    assert commits(bucket) == 0


def test_what_is_young_stays_with_all_it_holds(bucket):
    bucket.delete("refs/heads/main")
    bucket.put("objects/00/" + "0" * 62 + ".filez", Packed(b"x"))
    assert prune_bucket(bucket, BucketPruneOptions(refs_only=True, depth=0)).pruned == 0
    require_complete(read_all(bucket))


def test_leftovers_of_a_push_that_was_killed_go(bucket):
    bucket.put("objects/00/" + "0" * 62 + ".filez", Packed(b"x"))
    bucket.put("objects/00/" + "1" * 62 + ".commitmeta", Packed(b"x"))
    assert prune_bucket(bucket, ALL).pruned == 2
    require_complete(read_all(bucket))


def test_what_is_no_object_stays(bucket):
    for path in ("objects/README", "objects/00/what", "notes/a", "objects/00/x/y"):
        bucket.put(path, Packed(b"x"))
    prune_bucket(bucket, ALL)
    assert {"objects/README", "objects/00/what", "notes/a"} <= set(bucket.list(""))


def test_deltas_to_a_commit_go_with_it(repo, bucket):
    tip, old = (resolve_ref(repo, None, "main"), None)
    for path in bucket.list("objects"):
        if path.endswith(".commit") and path != object_path(ObjectName(tip, ObjectType.COMMIT)):
            old = path.removeprefix("objects/").removesuffix(".commit").replace("/", "")
    names = {commit: to_modified_base64(commit) for commit in (tip, old)}
    for name in names.values():
        bucket.put(f"deltas/{name[:2]}/{name[2:]}/superblock", Packed(b"x"))
    prune_bucket(bucket, ALL._replace(depth=0))
    assert list(bucket.list("deltas")) == [f"deltas/{names[tip][:2]}/{names[tip][2:]}/superblock"]


def test_deltas_that_a_killed_prune_left_go(repo, bucket):
    lost = to_modified_base64("1" * 64)
    superblock = f"deltas/{lost[:2]}/{lost[2:]}/superblock"
    index = f"delta-indexes/{lost[:2]}/{lost[2:]}.index"
    kept = to_modified_base64(resolve_ref(repo, None, "main"))
    others = ["deltas/notes", f"delta-indexes/{kept[:2]}/{kept[2:]}.index", "delta-indexes/a/b"]
    for path in (superblock, index, *others):
        bucket.put(path, Packed(b"x"))
    # Whoever sends deltas first is not disturbed.
    prune_bucket(bucket, BucketPruneOptions(refs_only=True))
    assert {superblock, index} <= set(bucket.list(""))
    prune_bucket(bucket, ALL)
    assert {path for path in bucket.list("") if path.startswith("delta")} == set(others)


def test_what_a_signed_summary_says_stays(repo, bucket, tmp_path):
    """It is left alone when a ref moves on, and is what clients ask first."""
    signed = SummaryChoice(signers=(DummySigner(b"me"),))
    push(repo, BucketTarget(bucket), ["main"], PushOptions(summary=signed))
    commit_files(repo, tmp_path, {"new": "new"}, timestamp=9)
    push(repo, BucketTarget(bucket), ["main"], PushOptions(force=True))
    assert commits(bucket) == 4
    prune_bucket(bucket, ALL._replace(depth=0))
    assert commits(bucket) == 2
    require_complete(read_all(bucket))


def test_a_summary_of_collections(repo, bucket):
    tip = resolve_ref(repo, None, "main")
    entry = SummaryRef("x", 1, tip)
    summary = build_summary(
        (), {"org.x": (entry,)}, SummaryFacts(mode="archive-z2", last_modified=1)
    )
    bucket.put("summary", Packed(summary.encode()))
    bucket.delete("refs/heads/main")
    prune_bucket(bucket, ALL._replace(depth=0))
    assert commits(bucket) == 1
    bucket.put("summary", Packed(b"damaged"))
    before = read_all(bucket)
    with pytest.raises(FormatError, match="s3://memory/repo/summary: "):
        prune_bucket(bucket, ALL)
    assert read_all(bucket) == before


@pytest.mark.parametrize("at", ["deltas/", "objects/"])
def test_who_was_asleep_deletes_nothing(bucket, monkeypatch, at):
    """A push that began meanwhile may rely on what was to go."""
    bucket.delete("refs/heads/main")
    if at == "deltas/":
        lost = to_modified_base64("1" * 64)
        bucket.put(f"deltas/{lost[:2]}/{lost[2:]}/superblock", Packed(b"x"))
    before = read_all(bucket)
    now = 1000.0
    scan = BucketStore.scan

    def slow(self, folder):
        nonlocal now
        yield from scan(self, folder)
        now += bucket_marks.STALE_S * (folder == at.strip("/"))

    monkeypatch.setattr(bucket_marks, "_now", lambda: now)
    monkeypatch.setattr(BucketStore, "scan", slow)
    with pytest.raises(BucketBusy, match="a push may have run"):
        prune_bucket(bucket, ALL)
    assert read_all(bucket) == before


def test_no_repository():
    with pytest.raises(RepoNotFound, match="s3://memory/repo is no repository"):
        prune_bucket(memory_bucket(), ALL)


def test_a_config_that_is_none():
    bucket = memory_bucket()
    bucket.put("config", Packed(b"[core]\nrepo_version=7\n"))
    with pytest.raises(Exception, match="s3://memory/repo/config"):
        prune_bucket(bucket, ALL)


def test_a_ref_to_nothing_stops_it(bucket):
    before = read_all(bucket)
    bucket.put("refs/heads/lost", Packed(b"0" * 64))
    with pytest.raises(RepoCorrupted, match=r"points to commit 0+, which is not there"):
        prune_bucket(bucket, ALL._replace(depth=0))
    bucket.put("refs/heads/lost", Packed(b"no checksum"))
    with pytest.raises(RepoCorrupted, match="refs/heads/lost holds no checksum"):
        prune_bucket(bucket, ALL._replace(depth=0))
    bucket.delete("refs/heads/lost")
    # The mark as well.
    assert read_all(bucket) == before


def test_a_missing_directory_stops_it(bucket):
    path = next(path for path in bucket.list("objects") if path.endswith(".dirtree"))
    bucket.delete(path)
    with pytest.raises(ObjectNotFound):
        prune_bucket(bucket, ALL)


def test_a_damaged_commit_stops_it(repo, bucket):
    name = ObjectName(resolve_ref(repo, None, "main"), ObjectType.COMMIT)
    bucket.put(object_path(name), Packed(b"damaged"))
    with pytest.raises(FormatError, match=f"s3://memory/repo: {name}"):
        prune_bucket(bucket, ALL)
