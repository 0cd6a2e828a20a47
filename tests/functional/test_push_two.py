# SPDX-License-Identifier: Apache-2.0
"""Two pushers at once: neither overwrites what the other did, and a push under way is not robbed."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from ostrya.formats.summary import Summary
from ostrya.pull.errors import RefMoved
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_address import open_target
from ostrya.pull.push_archive import ArchiveTarget
from ostrya.pull.push_bucket import BucketTarget
from ostrya.pull.push_target import SummaryChoice
from ostrya.repo.bucket_prune import BucketPruneOptions, prune_bucket
from ostrya.repo.errors import BucketBusy
from ostrya.repo.refs import list_refs, resolve_ref
from ostrya.repo.repository import open_repository
from support.commands import OURS, clean_environment
from support.pushing import DyingFiles, memory_bucket, read_all, refs_of, require_complete
from support.s3 import BUCKET, CREDENTIALS, S3Server
from support.small_repos import commit_files, make_repo
from support.treehub import Treehub

SUMMARY = PushOptions(summary=SummaryChoice(wanted=True))


@pytest.fixture
def source(tmp_path):
    """A ref and two that have gone on from it in different ways."""
    with make_repo(tmp_path / "source") as repo:
        base = commit_files(repo, tmp_path, {"a": "1"}, ref="base")
        commit_files(repo, tmp_path, {"a": "2"}, ref="ours", parent=base, timestamp=2)
        commit_files(repo, tmp_path, {"a": "3"}, ref="theirs", parent=base, timestamp=3)
        yield repo


def point(repo, ref: str, at: str) -> None:
    OURS(f"--repo={repo.path}", "refs", f"--create={ref}", "--force", at)


@pytest.mark.parametrize("begun", [False, True], ids=["new ref", "old ref"])
@pytest.mark.parametrize("force", [False, True], ids=["", "force"])
def test_the_second_to_come_is_refused_in_a_bucket(source, begun, force):
    bucket = memory_bucket()
    if begun:
        point(source, "main", "base")
        push(source, BucketTarget(bucket), ["main"])
    theirs = resolve_ref(source, None, "theirs")
    files = DyingFiles(bucket)

    def meanwhile(deed: str, path: str) -> None:
        if deed == "replace" and path == "refs/heads/main" and not done:
            done.append(path)
            with open_repository(source.path) as other:
                point(other, "main", "theirs")
                push(other, BucketTarget(bucket), ["main"])

    done: list[str] = []
    point(source, "main", "ours")
    files.on_request = meanwhile
    with pytest.raises(RefMoved, match="somebody else has pushed meanwhile"):
        push(source, BucketTarget(files), ["main"], PushOptions(force=force))
    held = read_all(bucket)
    assert refs_of(held) == {"main": theirs}
    require_complete(held)


def test_the_second_to_come_is_refused_in_a_directory(source, tmp_path, monkeypatch):
    point(source, "main", "ours")
    target = open_target(str(tmp_path / "out"))
    send = target.send

    def send_late(*args):
        sent = send(*args)
        with open_repository(source.path) as other:
            point(other, "main", "theirs")
            push(other, open_target(str(tmp_path / "out")), ["main"])
        return sent

    monkeypatch.setattr(target, "send", send_late)
    with pytest.raises(RefMoved):
        push(source, target, ["main"], PushOptions(force=True))
    with open_repository(str(tmp_path / "out")) as out:
        assert list_refs(out) == {"main": resolve_ref(source, None, "theirs")}


def test_the_second_to_come_is_refused_by_a_treehub(source, tmp_path):
    point(source, "main", "ours")
    with Treehub(tmp_path / "hub") as hub:
        done: list[str] = []

        def meanwhile(method: str, path: str) -> None:
            if method == "POST" and path.endswith(".commit") and not done:
                done.append(path)
                with open_repository(source.path) as other:
                    point(other, "main", "theirs")
                    push(other, open_target(hub.url), ["main"])

        hub.on_request = meanwhile
        with pytest.raises(RefMoved):
            push(source, open_target(hub.url), ["main"], PushOptions(force=True))
        assert (hub.folder / "refs/heads/main").read_text() == resolve_ref(source, None, "theirs")


def test_different_refs_at_once_are_all_in_the_summary(source):
    bucket = memory_bucket()
    errors: list[Exception] = []

    def run(ref: str) -> None:
        try:
            with open_repository(source.path) as other:
                push(other, BucketTarget(bucket), [ref], SUMMARY)
        except Exception as exc:  # noqa: BLE001  # shown by the test
            errors.append(exc)

    threads = [threading.Thread(target=run, args=(ref,)) for ref in ("base", "ours", "theirs")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    held = read_all(bucket)
    require_complete(held)
    listed = {ref.name: ref.checksum for ref in Summary.decode(held["summary"]).refs}
    assert listed == refs_of(held)
    assert set(listed) == {"base", "ours", "theirs"}


def test_a_prune_keeps_away_from_a_push(source):
    bucket = memory_bucket()
    files = DyingFiles(bucket)
    refused: list[BucketBusy] = []

    def meanwhile(deed: str, path: str) -> None:
        if deed == "put" and path.endswith(".filez"):
            with pytest.raises(BucketBusy) as raised:
                prune_bucket(bucket, BucketPruneOptions(refs_only=True, grace_s=0))
            refused.append(raised.value)

    files.on_request = meanwhile
    push(source, BucketTarget(files), ["base"])
    assert refused
    assert refused[0].message.startswith("a push of s3://memory/repo is under way since ")
    # The mark is gone with the push.
    prune_bucket(bucket, BucketPruneOptions(refs_only=True, grace_s=0))
    require_complete(read_all(bucket))


def test_a_push_keeps_away_from_a_prune(source):
    bucket = memory_bucket()
    push(source, BucketTarget(bucket), ["base"])
    files = DyingFiles(bucket)
    refused: list[str] = []

    def meanwhile(deed: str, path: str) -> None:
        if deed == "scan" and path == "objects":
            with pytest.raises(BucketBusy):
                push(source, BucketTarget(bucket), ["ours"])
            refused.append(path)

    files.on_request = meanwhile
    prune_bucket(files, BucketPruneOptions(refs_only=True, grace_s=0))
    assert refused
    push(source, BucketTarget(bucket), ["ours"])


def test_processes_that_push_the_same_ref_to_s3(source, tmp_path):
    """Of two that go on in different ways, one wins, and the other is told."""
    clones = []
    for name in ("ours", "theirs"):
        clone = tmp_path / name
        OURS("init", f"--repo={clone}", "--mode=archive")
        OURS(f"--repo={clone}", "pull-local", source.path)
        OURS(f"--repo={clone}", "refs", "--create=main", name)
        clones.append(clone)
    with S3Server() as server:
        store = server.store("repo")
        point(source, "main", "base")
        push(source, BucketTarget(store), ["main"], SUMMARY)
        processes = [
            subprocess.Popen(
                OURS.argv(
                    f"--repo={clone}", "push", f"s3://{BUCKET}/repo", "main",
                    f"--endpoint-url={server.endpoint}",
                ),
                env={**clean_environment(), **CREDENTIALS},
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )
            for clone in clones
        ]  # fmt: skip
        ends = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
        assert sorted(status for _, status in ends) == [0, 20], ends
        (message,) = (stderr for stderr, status in ends if status)
        assert b"meanwhile" in message or b"no ancestor" in message
        held = read_all(store)
        require_complete(held)
        won = ("ours", "theirs")[[status for _, status in ends].index(0)]
        assert refs_of(held) == {"main": resolve_ref(source, None, won)}


def test_a_summary_that_others_write_all_the_time(source):
    bucket = memory_bucket()
    files = DyingFiles(bucket)
    counter = iter(range(100))

    def meanwhile(deed: str, path: str) -> None:
        if deed == "replace" and path == "summary":
            found = bucket.read("summary", 1 << 20)
            data = f"{next(counter)}".encode()
            bucket.replace("summary", data, None if found is None else found.tag)

    files.on_request = meanwhile
    target = ArchiveTarget(files)
    with pytest.raises(Exception, match="summary"):
        push(source, target, ["base"], SUMMARY)
    assert set(refs_of(read_all(bucket))) == {"base"}


def test_paths(tmp_path):
    assert Path(open_target(f"file://{tmp_path}/a%20b").shown) == tmp_path / "a b"
