# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EACCES, EIO, EMFILE
from pathlib import Path

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import traverse, verify
from ostrya.repo.errors import RepoConfigError, RepoCorrupted
from ostrya.repo.fsck import FsckOptions, NoteKind, fsck
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import CommitState, commit_state, mark_partial
from ostrya.repo.reader import has_object, load_commit, load_dirtree
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.repository import open_repository
from support.privileges import file_modes_count
from support.small_repos import (
    ALL_MODES,
    WRITABLE_MODES,
    commit_files,
    commit_tree,
    configure,
    make_repo,
    names_of,
    object_path,
    plain_tree,
)

KINDS = (ObjectType.COMMIT, ObjectType.DIR_TREE, ObjectType.DIR_META, ObjectType.FILE)


@pytest.fixture(params=WRITABLE_MODES, ids=str)
def repo(request, tmp_path):
    with make_repo(tmp_path / "repo", request.param) as repo:
        yield repo


@pytest.fixture
def commit(repo, tmp_path):
    return commit_tree(repo, plain_tree(tmp_path / "tree"))


def victim_of(repo, kind: ObjectType) -> ObjectName:
    """An object of a kind; of files the largest that is no link."""
    names = [name for name in names_of(repo, kind) if not object_path(repo, name).is_symlink()]
    return max(names, key=lambda name: (object_path(repo, name).stat().st_size, name))


def replace(path: Path, content: bytes) -> None:
    """Change content without changing what the mode keeps beside it."""
    with path.open("r+b") as stream:
        stream.write(content)
        stream.truncate()


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    replace(path, bytes(content))


def flip_last(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    replace(path, bytes(content))


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def append(path):
    with path.open("ab") as stream:
        stream.write(b"more")


def enlarge(path):
    os.truncate(path, 200 << 20)


def to_symlink(path):
    path.rename(path.with_suffix(".aside"))
    path.symlink_to(path.with_suffix(".aside").name)


def to_directory(path):
    path.unlink()
    path.mkdir()


def to_pipe(path):
    path.unlink()
    os.mkfifo(path)


def to_loop(path):
    path.unlink()
    path.symlink_to(path.name)


def chmod(path):
    path.chmod(0o600)


DAMAGES = [flip, flip_last, truncate, empty, append, to_symlink, to_directory, to_pipe, to_loop]


def notes_of(repo, **options):
    notes = []
    fsck(
        repo, FsckOptions(**options), on_note=lambda kind, text: notes.append((kind, text)), jobs=1
    )
    return notes


def problems_of(repo, **options) -> tuple[list[str], str]:
    notes = []
    with pytest.raises(RepoCorrupted) as caught:
        fsck(
            repo,
            FsckOptions(**options),
            on_note=lambda kind, text: notes.append((kind, text)),
            jobs=1,
        )
    return [text for kind, text in notes if kind == NoteKind.PROBLEM], caught.value.message


def test_a_sound_repository(repo, commit):
    result = fsck(repo, jobs=1)
    assert (result.commits, result.partial) == (1, 0)
    assert result.objects == len(names_of(repo))


def test_on_all_cores(repo, commit):
    assert fsck(repo, jobs=3).objects == len(names_of(repo))
    flip(object_path(repo, victim_of(repo, ObjectType.FILE)))
    with pytest.raises(RepoCorrupted):
        fsck(repo, jobs=3)


def skip_harmless(repo, kind, damage):
    if (repo.mode, kind, damage) == (RepoMode.ARCHIVE, ObjectType.FILE, append):
        pytest.skip("what stands behind a deflate stream is no part of the content")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.suffix)
class TestDamage:
    def test_one_sentence_names_the_object(self, repo, commit, kind, damage):
        skip_harmless(repo, kind, damage)
        victim = victim_of(repo, kind)
        damage(object_path(repo, victim))
        before = names_of(repo)
        problems, message = problems_of(repo)
        assert victim.checksum in message
        assert "\n" not in message
        assert problems == []
        assert names_of(repo) == before

    def test_all_of_it_is_looked_at_when_asked(self, repo, commit, kind, damage):
        skip_harmless(repo, kind, damage)
        victim = victim_of(repo, kind)
        damage(object_path(repo, victim))
        problems, message = problems_of(repo, keep_going=True)
        told = [text for text in (*problems, message) if victim.checksum in text]
        assert told


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda kind: kind.suffix)
def test_oversized(repo, commit, kind):
    if kind == ObjectType.FILE:
        pytest.skip("a file may have any size")
    victim = victim_of(repo, kind)
    enlarge(object_path(repo, victim))
    _, message = problems_of(repo)
    assert victim.checksum in message
    assert "larger than" in message


def test_a_mode_that_was_changed(repo, commit):
    if repo.mode in (RepoMode.ARCHIVE, RepoMode.BARE_USER):
        pytest.skip("the mode of the file on the disk means nothing here")
    victim = victim_of(repo, ObjectType.FILE)
    chmod(object_path(repo, victim))
    _, message = problems_of(repo)
    assert victim.checksum in message


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda kind: kind.suffix)
def test_missing(repo, commit, kind):
    victim = victim_of(repo, kind)
    object_path(repo, victim).unlink()
    problems, message = problems_of(repo)
    assert f"Object missing in commits {commit}: {victim}" in problems
    assert message == "Repository corruption encountered"
    # From now on everybody knows.
    assert commit_state(repo, commit) == CommitState.FSCK_PARTIAL
    with pytest.raises(RepoCorrupted, match="1 partial commits from fsck-detected corruption"):
        fsck(repo, jobs=1)


def test_a_missing_commit_that_a_ref_points_to(repo, commit):
    object_path(repo, ObjectName(commit, ObjectType.COMMIT)).unlink()
    _, message = problems_of(repo)
    assert message == f"Loading commit for ref main: No such metadata object {commit}.commit"


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda kind: kind.suffix)
def test_delete_takes_the_damaged_object_and_nothing_else(repo, commit, kind):
    victim = victim_of(repo, kind)
    before = names_of(repo)
    flip(object_path(repo, victim))
    problems, _ = problems_of(repo, delete=True)
    assert any(victim.checksum in text for text in problems)
    assert f"Marking commit as partial: {commit}" in problems
    assert before - names_of(repo) == {victim}


@pytest.mark.parametrize("errno", [EACCES, EIO, EMFILE])
def test_what_merely_cannot_be_read_is_not_deleted(repo, commit, monkeypatch, errno):
    """libostree's fsck deletes it."""
    real = verify.load_file

    def load_file(the_repo, checksum):
        if checksum == victim.checksum:
            raise OSError(errno, os.strerror(errno))
        return real(the_repo, checksum)

    victim = victim_of(repo, ObjectType.FILE)
    before = names_of(repo)
    monkeypatch.setattr(verify, "load_file", load_file)
    problems, _ = problems_of(repo, delete=True)
    (problem,) = problems
    assert problem.endswith(f"fsck content object {victim.checksum}: {os.strerror(errno)}")
    assert names_of(repo) == before
    assert commit_state(repo, commit) == CommitState.NORMAL
    # It may be damaged all the same.
    assert problems_of(repo)[1] == problem


@pytest.mark.parametrize("keep_going", [False, True])
def test_the_trees_are_walked_once_for_all_that_is_missing(repo, tmp_path, monkeypatch, keep_going):
    monkeypatch.setattr(verify, "_BATCH_OBJECTS", 2)
    files = {f"d{n}/f{m}": f"{n} {m}" for n in range(4) for m in range(4)}
    line = [commit_files(repo, tmp_path, {**files, "own": str(n)}, ref=f"r{n}") for n in range(4)]
    for name in names_of(repo, ObjectType.FILE):
        object_path(repo, name).unlink()
    read = []
    real = traverse.load_dirtree
    monkeypatch.setattr(
        traverse, "load_dirtree", lambda r, checksum: read.append(checksum) or real(r, checksum)
    )
    problems, _ = problems_of(repo, keep_going=keep_going)
    assert sum(text.startswith("Object missing") for text in problems) == 20
    assert sum(text.startswith("Marking commit as partial") for text in problems) == 4
    assert f"Marking commit as partial: {line[0]}" in problems
    assert len(read) == 2 * len(names_of(repo, ObjectType.DIR_TREE))


def test_the_first_damage_ends_it(repo, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "_BATCH_OBJECTS", 1)
    commit_files(repo, tmp_path, {f"f{n}": str(n) * 100 for n in range(9)})
    looked_at = []
    for name in names_of(repo, ObjectType.FILE):
        flip_last(object_path(repo, name))
    real = verify.check_object
    monkeypatch.setattr(
        verify, "check_object", lambda v, name: looked_at.append(name.type) or real(v, name)
    )
    problems_of(repo)
    assert looked_at.count(ObjectType.FILE) == 1


def test_all_damage_is_told_when_going_on(repo, commit):
    victims = [victim_of(repo, kind) for kind in KINDS[1:]]
    flip(object_path(repo, victims[1]))
    flip(object_path(repo, victims[2]))
    problems, _ = problems_of(repo, keep_going=True)
    for victim in victims[1:]:
        assert any(victim.checksum in text for text in problems)


def test_only_the_commits_that_hold_it_are_named(repo, tmp_path):
    one = commit_files(repo, tmp_path, {"same": "s", "only": "1" * 5000}, ref="one")
    two = commit_files(repo, tmp_path, {"same": "s"}, ref="two")
    victim = victim_of(repo, ObjectType.FILE)
    object_path(repo, victim).unlink()
    problems, _ = problems_of(repo)
    assert problems[0] == f"Object missing in commits {one}: {victim}"
    assert commit_state(repo, two) == CommitState.NORMAL


def test_a_partial_commit_is_counted_and_not_verified(repo, commit):
    object_path(repo, victim_of(repo, ObjectType.FILE)).unlink()
    mark_partial(repo, commit)
    notes = []
    result = fsck(repo, on_note=lambda kind, text: notes.append((kind, text)), jobs=1)
    assert (result.commits, result.partial) == (0, 1)
    assert (NoteKind.PARTIAL, "1 partial commits not verified") in notes


def test_objects_of_a_parent_repository_are_verified(tmp_path):
    with make_repo(tmp_path / "below") as below:
        checksum = commit_files(below, tmp_path, {"f": "1" * 3000})
        victim = victim_of(below, ObjectType.FILE)
        with make_repo(tmp_path / "repo") as repo:
            configure(repo, parent=below.path)
        with open_repository(str(tmp_path / "repo")) as repo:
            write_ref(repo, None, "main", checksum)
            fsck(repo, jobs=1)
            flip(object_path(below, victim))
            _, message = problems_of(repo)
            assert victim.checksum in message


def test_tombstones_for_commits_whose_parent_is_gone(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        one = commit_files(repo, tmp_path, {"f": "1"}, ref=None)
        two = commit_files(repo, tmp_path, {"f": "2"}, ref=None, parent=one)
        object_path(repo, ObjectName(one, ObjectType.COMMIT)).unlink()
        notes = notes_of(repo, add_tombstones=True)
        assert (NoteKind.TOMBSTONE, f"Adding tombstone for commit {two}") in notes
        assert has_object(repo, ObjectName(two, ObjectType.TOMBSTONE_COMMIT))
        assert not has_object(repo, ObjectName(two, ObjectType.COMMIT))
        assert repo.config.tombstone_commits


def test_split_xattrs_are_missing(tmp_path):
    """What libostree writes in this mode, its own fsck refuses; so does ours, by name."""
    mode = RepoMode.BARE_SPLIT_XATTRS
    assert mode in ALL_MODES
    with make_repo(tmp_path / "repo", mode) as repo:
        checksum = commit_files(repo, tmp_path, {"f": "1"})
        (victim,) = names_of(repo, ObjectType.FILE)
        problems, _ = problems_of(repo)
        assert f"Object missing in commits {checksum}: {victim}" in problems


@pytest.mark.parametrize("damage", [flip, truncate, to_symlink, to_directory, to_pipe])
def test_split_xattrs_sound_and_damaged(tmp_path, damage):
    with make_repo(tmp_path / "repo", RepoMode.BARE_SPLIT_XATTRS) as repo:
        commit_files(repo, tmp_path, {"f": "1" * 100})
        (victim,) = names_of(repo, ObjectType.FILE)
        path = object_path(repo, victim)
        Path(f"{path}-xattrs-link").touch()
        assert fsck(repo, jobs=1).commits == 1
        damage(path)
        _, message = problems_of(repo)
        assert victim.checksum in message


def test_a_repository_of_an_unknown_mode_is_not_touched(tmp_path):
    make_repo(tmp_path / "repo").close()
    config = tmp_path / "repo/config"
    config.write_text(config.read_text().replace("archive-z2", "bare-future"))
    with pytest.raises(RepoConfigError, match="Invalid mode 'bare-future'"):
        open_repository(str(tmp_path / "repo"))


@pytest.mark.parametrize("kind", [ObjectType.COMMIT, ObjectType.DIR_TREE])
def test_what_cannot_be_read_does_not_hide_the_rest(repo, commit, tmp_path, kind):
    other = commit_files(repo, tmp_path, {"other": "content"}, ref="other", parent=commit)
    root = load_commit(repo, commit).root_contents
    closed = ObjectName(commit if kind == ObjectType.COMMIT else root, kind)
    path = object_path(repo, closed)
    # In a directory of the other commit, which can be read.
    victim = ObjectName(
        load_dirtree(repo, load_commit(repo, other).root_contents).files[0][1], ObjectType.FILE
    )
    object_path(repo, victim).unlink()
    notes = []
    path.chmod(0)
    with file_modes_count(), pytest.raises(RepoCorrupted, match="corruption encountered"):
        fsck(
            repo,
            FsckOptions(keep_going=True),
            on_note=lambda note, text: notes.append(text) if note == NoteKind.PROBLEM else None,
            jobs=1,
        )
    assert any(str(victim) in note for note in notes)
    assert any(str(closed) in note and "Permission denied" in note for note in notes)
