# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest


def commits_of(sample):
    return len(list(sample.path.glob("objects/*/*.commit")))


def test_nothing_to_delete(run, sample):
    assert run.ok(sample.option, "prune").lines == ["Total objects: 12", "No unreachable objects"]


def test_what_no_ref_reaches(run, sample):
    run.ok(sample.option, "reset", "main", "main^")
    assert run.ok(sample.option, "prune").lines[1] == "No unreachable objects"
    found = run.ok(sample.option, "prune", "--refs-only", "--no-prune").lines
    assert found[1].startswith("Would delete: 3 objects, freeing ")
    found = run.ok(sample.option, "prune", "--refs-only").lines
    assert found[0] == "Total objects: 12"
    assert found[1].startswith("Deleted 3 objects, ")
    assert found[1].endswith(" freed")
    run.ok(sample.option, "fsck", "-q")


def test_depth(run, sample):
    run.ok(sample.option, "prune", "--refs-only", "--depth=1")
    assert commits_of(sample) == 2
    run.ok(sample.option, "prune", "--refs-only", "--depth=0")
    assert commits_of(sample) == 1


def test_younger_than(run, sample):
    run.ok(sample.option, "prune", "--keep-younger-than=@1000000000")
    assert commits_of(sample) == 2
    run.ok(sample.option, "prune", "--keep-younger-than=yesterday")
    assert commits_of(sample) == 1


def test_rules_by_branch(run, sample, tree):
    for number in range(2):
        run.ok(sample.option, "commit", "-b", "dev", "-s", str(number), tree)
    run.ok(sample.option, "prune", "--retain-branch-depth=main=-1", "--depth=0")
    assert commits_of(sample) == 3
    run.ok(sample.option, "prune", "--only-branch=main", "--depth=0")
    assert commits_of(sample) == 2


def test_commit_only(run, sample):
    objects = len(list(sample.path.glob("objects/*/*")))
    found = run.ok(sample.option, "prune", "--commit-only", "--refs-only", "--depth=0").lines
    assert found[0] == "Total (commit only) objects: 2"
    assert len(list(sample.path.glob("objects/*/*"))) == objects - 1


def test_delete_commit(run, sample):
    message = run.fails(sample.option, "prune", f"--delete-commit={sample.second}")
    assert message == f"Commit '{sample.second}' is referenced by 'main'"
    run.ok(sample.option, "prune", f"--delete-commit={sample.first}")
    assert commits_of(sample) == 1
    assert list(sample.path.glob("objects/*/*.tombstone-commit"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--static-deltas-only"], "--static-deltas-only requires --delete-commit"),
        (["--retain-branch-depth=x"], "Invalid value x, must specify BRANCH=DEPTH"),
        (["--retain-branch-depth=x=y"], "Invalid depth y"),
        (["--keep-younger-than=never"], "Could not parse 'never'"),
        (["--only-branch=nope"], "Refspec 'nope' not found"),
        (["--delete-commit=" + "0" * 64, "--no-prune"], "Cannot specify both --delete-commit and --no-prune"),
        (["--depth=x"], "Cannot parse integer value “x” for --depth"),
    ],
)  # fmt: skip
def test_errors(run, sample, arguments, message):
    assert run.fails(sample.option, "prune", *arguments) == message
    assert commits_of(sample) == 2


def test_counting_where_nothing_can_be_written(run, sample, monkeypatch):
    from ostrya.repo import repository
    from ostrya.repo.lock import RepoLock

    def refuse(*_args, **_kwargs):
        raise OSError(30, "Read-only file system", ".lock")

    monkeypatch.setattr(RepoLock, "_acquire", refuse)
    assert "Read-only" in run.fails(sample.option, "prune", "--no-prune")
    monkeypatch.setattr(repository.os, "access", lambda *_args, **_kwargs: False)
    assert "No unreachable objects" in run.ok(sample.option, "prune", "--no-prune").out
    shown = run.ok(sample.option, "prune", "--no-prune", "--only-branch=main", "--depth=0").out
    assert "Would delete: 3 objects" in shown
    run.fails(sample.option, "prune")


def test_a_read_only_file_system_is_said_to_be_one(run, sample, monkeypatch):
    from ostrya.repo import repository

    monkeypatch.setattr(repository.os, "access", lambda *_args, **_kwargs: False)
    assert run.fails(sample.option, "prune") == f"{sample.path}/objects: Permission denied"
    shown = type("Shown", (), {"f_flag": os.ST_RDONLY})
    monkeypatch.setattr(repository.os, "fstatvfs", lambda _fd: shown)
    assert run.fails(sample.option, "prune") == f"{sample.path}/objects: Read-only file system"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--retain-branch-depth=main=0"], 2),
        (["--retain-branch-depth=main=0", "--depth=0"], 1),
        (["--retain-branch-depth=main=1", "--depth=0"], 2),
        (["--retain-branch-depth=main=1", "--retain-branch-depth=main=0", "--depth=0"], 1),
        (["--retain-branch-depth=main=0", "--only-branch=other"], 2),
        (["--retain-branch-depth=main=0", "--only-branch=other", "--depth=0"], 1),
        (["--retain-branch-depth=main=0", "--keep-younger-than=@1000000000"], 2),
        (["--retain-branch-depth=main=0", "--keep-younger-than=@1000000001"], 1),
    ],
)
def test_a_depth_of_0_is_none(run, sample, options, kept):
    run.ok(sample.option, "refs", "--create=other", sample.second)
    run.ok(sample.option, "prune", *options)
    assert len(list(sample.path.glob("objects/*/*.commit"))) == kept


@pytest.fixture
def bucket(run, sample, monkeypatch):
    """What was pushed into a bucket in memory, which every ``s3://`` stands for."""
    from support.pushing import memory_bucket

    bucket = memory_bucket()
    monkeypatch.setattr("ostrya.repo.stores.bucket.open_bucket", lambda *_args: bucket)
    monkeypatch.setattr("ostrya.pull.push_bucket.open_bucket", lambda *_args: bucket)
    run.ok(sample.option, "push", "--depth=-1", "s3://memory/repo", "main")
    return bucket


def test_a_bucket(run, bucket):
    option = "--repo=s3://memory/repo"
    lines = run.ok("prune", option, "--refs-only", "--depth=0").lines
    assert lines == ["Total objects: 12", "No unreachable objects"]
    import ostrya.repo.bucket_prune as module

    # The clock of a bucket in memory may be a moment ahead.
    later = module.BucketPruneOptions(refs_only=True, depth=0, grace_s=-60, dry_run=True)
    assert module.prune_bucket(bucket, later).pruned == 3
    lines = run.ok("prune", option, "--refs-only", "--depth=0", "--grace=0", "--no-prune").lines
    assert lines[1].startswith("Would delete: ") or lines[1] == "No unreachable objects"


@pytest.mark.parametrize(
    "option",
    ["--delete-commit=x", "--keep-younger-than=now", "--retain-branch-depth=a=1",
     "--only-branch=main", "--commit-only", "--static-deltas-only"],
)  # fmt: skip
def test_what_is_not_possible_on_a_bucket(run, bucket, option):
    message = run.fails("prune", "--repo=s3://memory/repo", option, status=2)
    assert message == f"{option.partition('=')[0]} is not possible on a bucket"


@pytest.mark.parametrize("option", ["--grace=1", "--endpoint-url=http://x", "--region=x"])
def test_what_is_for_buckets_alone(run, sample, option):
    message = run.fails(sample.option, "prune", option, status=2)
    assert message.startswith(f"{option.partition('=')[0]} is for buckets")


def test_a_number_of_hours(run, bucket):
    assert "Invalid number" in run.fails("prune", "--repo=s3://a/b", "--grace=-1", status=2)
