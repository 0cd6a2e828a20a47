# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya.formats.commitmeta import decode_commitmeta
from ostrya.formats.summary import Summary
from ostrya.pull.errors import PushFailed, PushRefused
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_archive import ArchiveTarget
from ostrya.pull.push_target import SummaryChoice
from ostrya.repo.detached import write_detached_bytes
from ostrya.repo.packing import Packed
from ostrya.repo.summary import regenerate_summary
from ostrya.sign.dummy import DummySigner
from support.pushing import DyingFiles, memory_bucket, read_all, refs_of, require_complete
from support.small_repos import commit_files, configure

WANTED = SummaryChoice(wanted=True)


@pytest.fixture
def files():
    return memory_bucket()


@pytest.fixture
def commit(repo, tmp_path):
    return commit_files(repo, tmp_path, {f"dir/{n}": str(n) for n in range(40)})


def pushed(repo, files, ref="main", **options):
    return push(repo, ArchiveTarget(files), [ref], PushOptions(**options))


def test_a_repository_is_made(repo, files, commit):
    result = pushed(repo, files)
    held = read_all(files)
    require_complete(held)
    assert held["config"] == b"[core]\nrepo_version=1\nmode=archive-z2\n"
    assert refs_of(held) == {"main": commit}
    assert result.refs[0]._asdict() == {"ref": "main", "old": None, "new": commit, "change": "new"}
    assert result.summary == "none"
    assert (result.sent.content, result.sent.metadata) == (40, 4)


def test_a_dry_run_makes_nothing(repo, files, commit):
    result = pushed(repo, files, dry_run=True)
    assert not read_all(files)
    assert (result.sent.content, result.sent.metadata, result.sent.bytes) == (40, 4, 0)


def test_the_second_time_next_to_nothing_is_asked(repo, files, commit):
    pushed(repo, files)
    counted = DyingFiles(files)
    assert pushed(repo, counted).refs[0].change == "unchanged"
    assert len(counted.requests) < 10
    assert not [path for deed, path in counted.requests if deed in {"put", "replace"}]


def test_it_is_asked_again_if_told_to(repo, files, commit):
    pushed(repo, files)
    lost = [path for path in files.list("objects") if path.endswith(".filez")][:3]
    files.delete_many(lost)
    assert pushed(repo, files).sent.content == 0
    assert pushed(repo, files, recheck=True).sent.content == 3
    require_complete(read_all(files))


def test_a_collection(repo, files, tmp_path):
    configure(repo, collection_id="com.example.Os")
    commit_files(repo, tmp_path, {"a": "b"})
    pushed(repo, files, summary=WANTED)
    assert b"collection-id=com.example.Os" in read_all(files)["config"]
    assert Summary.decode(read_all(files)["summary"]).collection_id == "com.example.Os"


def test_other_things_are_left_alone(repo, files, commit):
    files.put("photos/cat.jpg", Packed(b"cat"))
    with pytest.raises(PushRefused, match=r"holds other things: photos/cat\.jpg"):
        pushed(repo, files)
    assert read_all(files) == {"photos/cat.jpg": b"cat"}


@pytest.mark.parametrize("mode", ["bare", "bare-user"])
def test_another_mode(repo, files, commit, mode):
    files.put("config", Packed(f"[core]\nrepo_version=1\nmode={mode}\n".encode()))
    with pytest.raises(PushRefused, match=f"in mode {mode}: only archives"):
        pushed(repo, files)


def test_a_config_that_is_none(repo, files, commit):
    files.put("config", Packed(b"[core]\nrepo_version=9\n"))
    with pytest.raises(Exception, match="s3://memory/repo/config: "):
        pushed(repo, files)


def test_refs_that_stand_in_each_others_way(repo, files, tmp_path):
    commit_files(repo, tmp_path, {"a": "b"}, ref="os")
    pushed(repo, files, "os")
    files.put("refs/heads/os/x", Packed(b"0" * 64))
    files.delete("refs/heads/os")
    with pytest.raises(PushRefused, match="there is a ref os/x"):
        pushed(repo, files, "os")


def test_a_ref_that_holds_no_checksum(repo, files, commit):
    pushed(repo, files)
    files.put("refs/heads/main", Packed(b"nonsense"))
    with pytest.raises(PushFailed, match="ref main of s3://memory/repo holds no checksum"):
        pushed(repo, files)


def test_signatures_go_along(repo, files, commit):
    pushed(repo, files)
    write_detached_bytes(repo, commit, b"one")
    assert pushed(repo, files).sent.detached == 1
    assert [d for p, d in read_all(files).items() if p.endswith(".commitmeta")] == [b"one"]


def test_a_commit_that_somebody_left_incomplete(repo, files, commit):
    pushed(repo, files)
    lost = next(path for path in files.list("objects") if path.endswith(".filez"))
    files.delete(lost)
    files.put(f"state/{commit}.commitpartial", Packed(b""))
    assert pushed(repo, files).sent.content == 1
    assert not list(files.list("state"))


def test_a_summary_that_is_there_is_kept_up(repo, files, commit, tmp_path):
    assert pushed(repo, files, summary=WANTED).summary == "written"
    newer = commit_files(repo, tmp_path, {"x": "y"}, parent=commit, timestamp=2)
    assert pushed(repo, files).summary == "written"
    assert Summary.decode(read_all(files)["summary"]).find("main").checksum == newer


def test_a_ref_that_is_not_ours_is_in_the_summary(repo, files, commit):
    pushed(repo, files)
    files.put("refs/heads/theirs", Packed(f"{commit}\n".encode()))
    pushed(repo, files, summary=WANTED)
    assert Summary.decode(read_all(files)["summary"]).find("theirs").size > 0


def test_a_signature_is_not_lost(repo, files, commit, tmp_path):
    signed = SummaryChoice(signers=(DummySigner(b"me"),))
    assert pushed(repo, files, summary=signed).summary == "written"
    before = read_all(files)
    commit_files(repo, tmp_path, {"x": "y"}, parent=commit, timestamp=2)
    assert pushed(repo, files).summary == "signed"
    after = read_all(files)
    assert after["summary"] == before["summary"]
    assert after["summary.sig"] == before["summary.sig"]
    pushed(repo, files, summary=signed)
    decode_commitmeta(read_all(files)["summary.sig"])
    assert read_all(files)["summary"] != before["summary"]


def test_the_source_s_summary_can_be_taken_along(repo, files, commit):
    copied = SummaryChoice(copied=True)
    with pytest.raises(PushRefused, match="no summary to copy"):
        pushed(repo, files, summary=copied)
    assert not read_all(files)
    regenerate_summary(repo)
    (Path(repo.path) / "summary.sig").write_bytes(b"theirs")
    assert pushed(repo, files, summary=copied).summary == "copied"
    assert read_all(files)["summary"] == (Path(repo.path) / "summary").read_bytes()
    assert read_all(files)["summary.sig"] == b"theirs"
    (Path(repo.path) / "summary.sig").unlink()
    pushed(repo, files, summary=copied)
    assert "summary.sig" not in read_all(files)


def test_a_damaged_summary_has_a_name(repo, files, commit):
    files.put("config", Packed(b"[core]\nrepo_version=1\nmode=archive-z2\n"))
    files.put("summary", Packed(b"damaged"))
    with pytest.raises(Exception, match="s3://memory/repo/summary: "):
        pushed(repo, files)
