# SPDX-License-Identifier: Apache-2.0
"""A push that is killed at any request leaves the old or the new state, and the next one goes on.

The pusher dies before a request is made, or after it was made and before its answer came. After each
death whatever commit, ref or summary can be seen is complete.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.http_sender import HttpSender
from ostrya.fetch.retry import RetryPolicy
from ostrya.fetch.sftp import SftpClient
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_archive import ArchiveTarget
from ostrya.pull.push_bucket import BucketTarget
from ostrya.pull.push_sftp import SftpFiles
from ostrya.pull.push_target import SummaryChoice
from ostrya.pull.push_treehub import TreehubTarget
from ostrya.repo.bucket_prune import BucketPruneOptions, prune_bucket
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import Repository
from support import crashes, trees
from support.commands import OURS, PEER, clean_environment
from support.pushing import (
    Died,
    DyingFiles,
    memory_bucket,
    read_all,
    refs_of,
    require_complete,
)
from support.s3 import BUCKET, CREDENTIALS, S3Server, dump
from support.small_repos import commit_files, make_repo
from support.sshd import need_sftp_server
from support.treehub import Treehub

SUMMARY = PushOptions(summary=SummaryChoice(wanted=True))


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Repository:
    """Two commits of a ref, the second with most of the first, and one of another ref."""
    folder = tmp_path_factory.mktemp("source")
    with make_repo(folder / "repo", RepoMode.BARE_USER_ONLY) as repo:
        files = {"etc/a": "one", "etc/b": "two", "usr/bin/c": "three"}
        first = commit_files(repo, folder, files, ref="old")
        commit_files(
            repo, folder, {**files, "usr/share/d": "four"}, ref="main", parent=first, timestamp=2
        )
        yield repo


@pytest.mark.parametrize("too_late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("jobs", [1, 4])
def test_at_every_request_to_a_bucket(source, jobs, too_late):
    def target(files) -> BucketTarget:
        return BucketTarget(files)

    counted = DyingFiles(memory_bucket())
    push(source, target(counted), ["old"], SUMMARY, jobs=1)
    total = len(counted.requests)
    assert total > 20
    for die_at in range(1, total + 1):
        bucket = memory_bucket()
        dying = DyingFiles(bucket, die_at, too_late=too_late)
        try:
            push(source, target(dying), ["old"], SUMMARY, jobs=jobs)
        except Died:
            pass
        else:
            assert jobs > 1, die_at
        require_complete(read_all(bucket))
        again = push(source, target(bucket), ["old"], SUMMARY)
        held = read_all(bucket)
        require_complete(held)
        assert refs_of(held) == {"old": again.refs[0].new}
        assert again.summary == "written"


def test_at_every_request_of_an_update(source):
    """What was there stays readable until the new state is."""
    first = memory_bucket()
    push(source, BucketTarget(first), ["old"], SUMMARY)
    counted = DyingFiles(copy_of(first))
    push(source, BucketTarget(counted), ["main"], SUMMARY, jobs=1)
    for die_at in range(1, len(counted.requests) + 1):
        bucket = copy_of(first)
        with pytest.raises(Died):
            push(source, BucketTarget(DyingFiles(bucket, die_at)), ["main"], SUMMARY, jobs=1)
        held = read_all(bucket)
        require_complete(held)
        assert "old" in refs_of(held)
        push(source, BucketTarget(bucket), ["main"], SUMMARY)
        require_complete(read_all(bucket))


def copy_of(bucket):
    copied = memory_bucket()
    for path, data in read_all(bucket).items():
        copied.replace(path, data, None)
    return copied


def test_a_prune_at_every_request(source):
    """Killed anywhere, it has deleted no more than nothing reaches, and left no cut commit."""
    full = memory_bucket()
    push(source, BucketTarget(full), ["old", "main"])
    full.delete("refs/heads/old")
    options = BucketPruneOptions(refs_only=True, depth=0, grace_s=-3600)
    counted = DyingFiles(copy_of(full))
    assert prune_bucket(counted, options, jobs=1).pruned
    for die_at in range(1, len(counted.requests) + 1):
        bucket = copy_of(full)
        with pytest.raises(Died):
            prune_bucket(DyingFiles(bucket, die_at), options, jobs=1)
        require_complete(read_all(bucket))
        assert set(refs_of(read_all(bucket))) == {"main"}


def test_at_every_request_over_sftp(source, tmp_path):
    server = need_sftp_server()
    client = SftpClient([server], "here")

    def place(name: str) -> SftpFiles:
        return SftpFiles(client, str(tmp_path / name), f"ssh://here/{name}")

    with client:
        counted = DyingFiles(place("counted"))
        push(source, ArchiveTarget(counted), ["old"], SUMMARY, jobs=1)
        for die_at in range(1, len(counted.requests) + 1):
            name = f"at-{die_at}"
            dying = DyingFiles(place(name), die_at)
            with pytest.raises(Died):
                push(source, ArchiveTarget(dying), ["old"], SUMMARY, jobs=1)
            require_complete(read_all(place(name)))
            push(source, ArchiveTarget(DyingFiles(place(name))), ["old"], SUMMARY)
            require_complete(read_all(place(name)))


def test_at_every_request_to_a_treehub(source, tmp_path):
    def target(hub: Treehub) -> TreehubTarget:
        return TreehubTarget(hub.url, HttpSender(HttpOptions(retry=RetryPolicy(0))))

    with Treehub(tmp_path / "counted") as hub:
        push(source, target(hub), ["old"], jobs=1)
        total = len(hub.requests)
    for die_at in range(1, total + 1):
        with Treehub(tmp_path / f"at-{die_at}") as hub:
            hub.die_at = die_at
            with pytest.raises(Exception, match="While fetching"):
                push(source, target(hub), ["old"], jobs=1)
            require_complete(read_folder(hub.folder))
            hub.die_at = 0
            push(source, target(hub), ["old"])
            held = read_folder(hub.folder)
            require_complete(held)
            assert set(refs_of(held)) == {"old"}


def read_folder(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.crash
@pytest.mark.peer
@pytest.mark.timeout(1200)
def test_sigkill_at_steps_of_a_push_to_a_directory(tmp_path, crash_full):
    tree = tmp_path / "tree"
    trees.write(tree / "usr/bin/hello", b"hello\n", 0o755)
    trees.write(tree / "etc/conf", b"key=value\n" * 50)
    repo = tmp_path / "repo"
    OURS("init", f"--repo={repo}", "--mode=archive")
    OURS(f"--repo={repo}", "commit", "-b", "main", tree)

    def argv(name: str) -> list[str]:
        return OURS.argv(f"--repo={repo}", "push", "--summary", tmp_path / name, "main")

    points = crashes.find_points(argv("whole"), tmp_path / "log", crashes.PUBLISHING)
    for number, point in enumerate(crashes.sample(points, None if crash_full else 2)):
        name = f"out-{number}"
        crashes.run_and_kill(argv(name), tmp_path / "log", point)
        if (tmp_path / name / "objects").is_dir():
            PEER("fsck", f"--repo={tmp_path / name}")
        # A lock that was left is a few seconds old: whoever comes next waits until it is stale.
        (tmp_path / name / ".push-lock").unlink(missing_ok=True)
        OURS(*argv(name)[1:])
        PEER("fsck", f"--repo={tmp_path / name}")
        assert PEER("refs", f"--repo={tmp_path / name}") == "main"


@pytest.mark.peer
def test_sigkill_now_and_then_of_a_push_to_s3(tmp_path):
    tree = tmp_path / "tree"
    for number in range(300):
        trees.write(tree / f"dir{number % 10}/{number}", f"file {number}\n".encode() * 30)
    repo = tmp_path / "repo"
    OURS("init", f"--repo={repo}", "--mode=bare-user-only")
    OURS(f"--repo={repo}", "commit", "--canonical-permissions", "-b", "main", tree)
    rng = random.Random(7)
    with S3Server() as server:
        argv = OURS.argv(
            f"--repo={repo}", "push", "--summary", f"s3://{BUCKET}/repo", "main",
            f"--endpoint-url={server.endpoint}", "--jobs=8",
        )  # fmt: skip
        env = {**clean_environment(), **CREDENTIALS}
        store = server.store("repo")
        for _ in range(6):
            process = subprocess.Popen(
                argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.2, 0.9))
            process.send_signal(signal.SIGKILL)
            process.wait()
            require_complete(read_all(store))
        subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL)
        require_complete(read_all(store))
        out = dump(store, tmp_path / "out")
    PEER("fsck", f"--repo={out}")
    assert PEER("refs", f"--repo={out}") == "main"
    assert os.listdir(out / "objects")
