# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import pytest

from ostrya.errors import OstryaError
from ostrya.formats.summary import Summary
from ostrya.pull import push_directory
from ostrya.pull.errors import PushLockLost, PushRefused
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_directory import DirectoryTarget
from ostrya.pull.push_lock import LOCK_NAME, push_lock
from ostrya.pull.push_target import SummaryChoice
from ostrya.repo.fsck import fsck
from ostrya.repo.modes import RepoMode
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import list_refs
from ostrya.repo.repository import open_repository
from ostrya.repo.runtime import DEFAULT_RUNTIME
from ostrya.repo.summary import regenerate_summary
from ostrya.sign.dummy import DummySigner
from support.small_repos import commit_files, make_repo

WANTED = SummaryChoice(wanted=True)


@pytest.fixture
def main(repo, tmp_path):
    return commit_files(repo, tmp_path, {f"dir/{n}": str(n) for n in range(5)})


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


def pushed(repo, path, ref="main", **options):
    return push(repo, DirectoryTarget(str(path), DEFAULT_RUNTIME), [ref], PushOptions(**options))


def test_an_archive_is_made(repo, main, tmp_path):
    result = pushed(repo, tmp_path / "out")
    assert (result.sent.content, result.sent.metadata, result.summary) == (5, 4, "none")
    with open_repository(str(tmp_path / "out")) as out:
        assert out.mode == RepoMode.ARCHIVE
        assert list_refs(out) == {"main": main}
        assert fsck(out).partial == 0
    assert not (tmp_path / "out" / LOCK_NAME).exists()
    assert pushed(repo, tmp_path / "out").sent.content == 0


def test_damage_is_not_passed_on(repo, main, tmp_path):
    found = next(Path(repo.path).glob("objects/??/*.file*"))
    found.write_bytes(found.read_bytes()[:-4] + b"else")
    with pytest.raises(OstryaError, match=found.parent.name + found.stem):
        pushed(repo, tmp_path / "out")
    with open_repository(str(tmp_path / "out")) as out:
        assert not list_refs(out)
        assert not list(Path(out.path).glob(f"objects/{found.parent.name}/{found.stem}.file*"))


@pytest.mark.parametrize("mode", [RepoMode.BARE_USER, RepoMode.BARE_USER_ONLY], ids=str)
def test_another_mode_is_as_good(repo, main, tmp_path, mode):
    make_repo(tmp_path / "out", mode).close()
    pushed(repo, tmp_path / "out")
    with open_repository(str(tmp_path / "out")) as out:
        assert list_refs(out) == {"main": main}


@pytest.mark.parametrize(("there", "new"), [("main", "main/x"), ("a/b/c", "a/b")])
def test_a_ref_in_the_way(repo, tmp_path, there, new):
    commit_files(repo, tmp_path, {"f": "1"}, ref=there)
    pushed(repo, tmp_path / "out", there)
    before = set(tmp_path.glob("out/objects/*/*"))
    write_ref(repo, None, there, None)
    commit_files(repo, tmp_path, {"f": "2"}, ref=new)
    with pytest.raises(PushRefused, match=f"ref {new} of .* there is a ref {there}"):
        pushed(repo, tmp_path / "out", new)
    assert set(tmp_path.glob("out/objects/*/*")) == before


def test_it_is_asked_again_if_told_to(repo, main, tmp_path):
    pushed(repo, tmp_path / "out")
    next((tmp_path / "out/objects").glob("*/*.filez")).unlink()
    assert pushed(repo, tmp_path / "out").sent.content == 0
    assert pushed(repo, tmp_path / "out", recheck=True).sent.content == 1
    with open_repository(str(tmp_path / "out")) as out:
        assert fsck(out).partial == 0


def test_a_dry_run_makes_nothing(repo, main, tmp_path):
    result = pushed(repo, tmp_path / "out", dry_run=True)
    assert (result.sent.content, result.sent.metadata) == (5, 4)
    assert not (tmp_path / "out").exists()
    pushed(repo, tmp_path / "out")
    assert pushed(repo, tmp_path / "out", dry_run=True).sent[:2] == (0, 0)


def test_what_cannot_be_pushed_to(repo, main, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo").touch()
    with pytest.raises(PushRefused, match="is no repository, and holds other things"):
        pushed(repo, tmp_path / "full")
    with pytest.raises(PushRefused, match="holds other things"):
        pushed(repo, tmp_path / "full" / "photo")
    with pytest.raises(PushRefused, match="the very repository to push from"):
        pushed(repo, repo.path)


def test_an_empty_directory(repo, main, tmp_path):
    (tmp_path / "empty").mkdir()
    pushed(repo, tmp_path / "empty")
    # One whose making was cut short.
    (tmp_path / "begun/refs/heads").mkdir(parents=True)
    (tmp_path / "begun/tmp.0123456789abcdef").touch()
    pushed(repo, tmp_path / "begun")


def test_summaries(repo, main, tmp_path):
    out = tmp_path / "out"
    assert pushed(repo, out, summary=WANTED).summary == "written"
    newer = commit_files(repo, tmp_path, {"x": "y"}, parent=main, timestamp=2)
    assert pushed(repo, out).summary == "written"
    assert Summary.decode((out / "summary").read_bytes()).find("main").checksum == newer
    signed = SummaryChoice(signers=(DummySigner(b"me"),))
    assert pushed(repo, out, summary=signed).summary == "written"
    assert (out / "summary.sig").exists()
    before = (out / "summary").read_bytes()
    assert pushed(repo, out).summary == "signed"
    assert (out / "summary").read_bytes() == before


def test_a_summary_taken_along(repo, main, tmp_path):
    out = tmp_path / "out"
    copied = SummaryChoice(copied=True)
    with pytest.raises(PushRefused, match="no summary to copy"):
        pushed(repo, out, summary=copied)
    regenerate_summary(repo)
    (Path(repo.path) / "summary.sig").write_bytes(b"sig")
    assert pushed(repo, out, summary=copied).summary == "copied"
    assert (out / "summary").read_bytes() == (Path(repo.path) / "summary").read_bytes()
    assert (out / "summary.sig").read_bytes() == b"sig"
    (Path(repo.path) / "summary.sig").unlink()
    pushed(repo, out, summary=copied)
    assert not (out / "summary.sig").exists()


def test_a_lock_that_was_left_is_taken_away(repo, main, tmp_path):
    pushed(repo, tmp_path / "out")
    lock = tmp_path / "out" / LOCK_NAME
    lock.touch()
    os.utime(lock, (1, 1))
    commit_files(repo, tmp_path, {"x": "y"}, parent=main, timestamp=2)
    assert pushed(repo, tmp_path / "out").refs[0].change == "fast-forward"
    assert not list((tmp_path / "out").glob(f"{LOCK_NAME}*"))


def test_a_summary_that_takes_long_keeps_its_lock(repo, main, tmp_path, monkeypatch):
    monkeypatch.setattr(push_directory, "push_lock", partial(push_lock, stale_s=0.2, wait_s=5))
    out = tmp_path / "out"
    pushed(repo, out)
    seen = []

    def slow(target, signers, before_write):
        deadline = time.monotonic() + 1
        lock = push_directory._LocalLock(target.dir_fd)
        while time.monotonic() < deadline:
            seen.append(lock.lock_age_s(LOCK_NAME))
            time.sleep(0.02)

    monkeypatch.setattr(push_directory, "regenerate_summary", slow)
    assert pushed(repo, out, summary=SummaryChoice(wanted=True)).summary == "written"
    assert max(seen) < 0.2
    assert not list(out.glob(f"{LOCK_NAME}*"))


def test_a_lock_that_others_have_taken(repo, main, tmp_path, monkeypatch):
    out = tmp_path / "out"
    pushed(repo, out)

    theirs = (out / "summary", out / "summary.sig")
    for name in theirs:
        name.write_bytes(b"theirs")

    def steal(*_arguments):
        (out / LOCK_NAME).unlink()
        (out / LOCK_NAME).write_text("another")

    class Stealing(DummySigner):
        def sign(self, data, old=()):
            steal()
            return super().sign(data, old)

    regenerate_summary(repo)
    copied = push_directory.read_source_summary

    def read(source):
        if (out / LOCK_NAME).exists():
            steal()
        return copied(source)

    monkeypatch.setattr(push_directory, "read_source_summary", read)
    for choice in (SummaryChoice(signers=(Stealing(b"me"),)), SummaryChoice(copied=True)):
        with pytest.raises(PushLockLost, match=r"has taken the lock of .*/out away"):
            pushed(repo, out, summary=choice)
        assert (out / LOCK_NAME).read_text() == "another"
        assert [name.read_bytes() for name in theirs] == [b"theirs", b"theirs"]
        (out / LOCK_NAME).unlink()
