# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import stat

import pytest

from ostrya._linux import reflink
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import writer
from ostrya.repo.errors import ChecksumMismatch, RepoModeError
from ostrya.repo.importer import Importer
from ostrya.repo.modes import RepoMode
from ostrya.repo.payload_links import PayloadLinks
from ostrya.repo.reader import load_file
from ostrya.repo.transaction import Transaction
from support.small_repos import GID, UID, make_repo, names_of, object_path

CONTENT = b"content" * 100
PAYLOAD = ObjectName(hashlib.sha256(CONTENT).hexdigest(), ObjectType.PAYLOAD_LINK)


@pytest.fixture(params=["as it is", "as if it could"])
def can_clone(request, monkeypatch, tmp_path) -> bool:
    """What this file system does, and a file system that can clone, played by copying."""
    if request.param == "as it is":
        with (tmp_path / "one").open("wb") as one, (tmp_path / "two").open("w+b") as two:
            return reflink.try_clone(two.fileno(), one.fileno())

    def copy(src_fd, dst_fd):
        os.pwrite(dst_fd, os.pread(src_fd, 1 << 20, 0), 0)
        return True

    monkeypatch.setattr(reflink, "try_clone", copy)
    return True


def header(mode: int) -> FileHeader:
    return FileHeader(UID, GID, stat.S_IFREG | mode)


@pytest.fixture
def clones(monkeypatch) -> list[tuple[int, int]]:
    """A file system that can clone, played by copying; the sizes of what was cloned."""
    sizes = []

    def copy(src_fd, dst_fd):
        data = os.pread(src_fd, 1 << 20, 0)
        sizes.append(len(data))
        os.pwrite(dst_fd, data, 0)
        return True

    monkeypatch.setattr(reflink, "try_clone", copy)
    return sizes


def link_target(repo) -> str:
    """Where the one payload link leads to."""
    assert names_of(repo, ObjectType.PAYLOAD_LINK) == {PAYLOAD}
    return os.readlink(object_path(repo, PAYLOAD))


def target_of(checksum: str) -> str:
    return f"../{checksum[:2]}/{checksum[2:]}.file"


@pytest.mark.parametrize("mode", [RepoMode.BARE, RepoMode.BARE_USER], ids=str)
class TestPayloadLinks:
    @pytest.fixture
    def repo(self, tmp_path, mode):
        with make_repo(tmp_path / "repo", mode, payload_link_threshold=100) as repo:
            yield repo

    def write(self, repo, content=CONTENT, modes=(0o644, 0o755, 0o600)) -> list[str]:
        found = []
        for mode in modes:
            with Transaction(repo) as tx:
                found.append(tx.writer.write_data(header(mode), content))
                tx.commit()
        return found

    @pytest.mark.usefixtures("can_clone")
    def test_objects_are_whole_whatever_the_file_system_can(self, repo):
        for checksum, mode in zip(self.write(repo), (0o644, 0o755, 0o600), strict=True):
            with load_file(repo, checksum) as loaded:
                assert loaded.header == header(mode)
                assert loaded.read() == CONTENT

    def test_the_first_object_is_linked_to(self, repo, can_clone):
        first, *_ = self.write(repo)
        if can_clone:
            assert link_target(repo) == target_of(first)
        else:
            assert names_of(repo, ObjectType.PAYLOAD_LINK) == set()

    def test_the_others_share_its_blocks(self, repo, clones):
        self.write(repo)
        assert clones.count(len(CONTENT)) == 2

    @pytest.mark.usefixtures("clones")
    def test_small_files_have_none(self, repo):
        self.write(repo, b"small")
        assert names_of(repo, ObjectType.PAYLOAD_LINK) == set()

    def test_a_link_to_what_is_gone_is_made_anew(self, repo, can_clone):
        first, second = self.write(repo, modes=(0o644, 0o755))
        object_path(repo, ObjectName(first, ObjectType.FILE)).unlink()
        third, *_ = self.write(repo, modes=(0o600,))
        with load_file(repo, third) as loaded:
            assert loaded.read() == CONTENT
        if can_clone:
            assert link_target(repo) == target_of(third)
        assert ObjectName(second, ObjectType.FILE) in names_of(repo)

    @pytest.mark.parametrize(
        "target", ["/etc/passwd", "../../config", "../zz/" + "z" * 62 + ".file"]
    )
    @pytest.mark.usefixtures("clones")
    def test_a_hostile_link_is_not_followed(self, repo, target):
        path = object_path(repo, PAYLOAD)
        path.parent.mkdir()
        path.symlink_to(target)
        (checksum,) = self.write(repo, modes=(0o644,))
        with load_file(repo, checksum) as loaded:
            assert loaded.read() == CONTENT

    def test_a_twin_that_was_cut_short_is_none(self, repo, clones):
        first, *_ = self.write(repo, modes=(0o644,))
        os.truncate(object_path(repo, ObjectName(first, ObjectType.FILE)), 200)
        (second,) = self.write(repo, modes=(0o755,))
        with load_file(repo, second) as loaded:
            assert loaded.read() == CONTENT
        assert clones.count(200) == 0

    @pytest.mark.parametrize("way", ["rereadable", "stream", "spooled"])
    def test_large_files_have_them_too(self, repo, clones, monkeypatch, way):
        monkeypatch.setattr(writer, "WHOLE_BYTES", 10)
        pieces = [CONTENT[:300], CONTENT[300:]]
        found = []
        for mode in (0o644, 0o755):
            checksum = hashlib.sha256(header(mode).encode_stream() + CONTENT).hexdigest()
            with Transaction(repo) as tx:
                if way == "rereadable":
                    tx.writer.write_rereadable(header(mode), len(CONTENT), lambda: pieces)
                else:
                    expected = checksum if way == "stream" else None
                    tx.writer.write_stream(header(mode), len(CONTENT), pieces, expected)
                tx.commit()
            found.append(checksum)
            with load_file(repo, checksum) as loaded:
                assert loaded.header == header(mode)
                assert loaded.read() == CONTENT
        assert link_target(repo) == target_of(found[0])
        assert clones.count(len(CONTENT)) == 1

    def test_a_stream_that_is_not_what_was_said_leaves_nothing(self, repo, clones, monkeypatch):
        monkeypatch.setattr(writer, "WHOLE_BYTES", 10)
        with Transaction(repo) as tx:
            with pytest.raises(ChecksumMismatch):
                tx.writer.write_stream(header(0o644), len(CONTENT), [CONTENT], "ab" * 32)
            tx.commit()
        assert names_of(repo) == set()

    @pytest.mark.parametrize("linked", [True, False], ids=["linked", "copied"])
    def test_objects_imported_as_they_are_have_them(
        self, repo, clones, tmp_path, monkeypatch, mode, linked
    ):
        with make_repo(tmp_path / "source", mode) as source:
            first, second = self.write(source, modes=(0o644, 0o755))
            with Transaction(source) as tx:
                link = FileHeader(UID, GID, stat.S_IFLNK | 0o777, "t" * 200)
                symlink = tx.writer.write_symlink(link)
                tx.commit()
            if not linked:
                monkeypatch.setattr(Importer, "_link", lambda *_args: False)
            with Transaction(repo) as tx:
                importer = Importer(
                    repo, source, tx.writer, trusted=True, check_user_only_modes=False
                )
                for checksum in (first, second, symlink):
                    importer.import_content(checksum)
                tx.commit()
        links = {os.readlink(object_path(repo, n)) for n in names_of(repo, ObjectType.PAYLOAD_LINK)}
        assert target_of(first) in links
        assert target_of(second) not in links


@pytest.mark.usefixtures("clones")
def test_a_twin_is_no_way_around_what_the_mode_can_hold(tmp_path):
    with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY, payload_link_threshold=100) as repo:
        with Transaction(repo) as tx:
            tx.writer.write_data(FileHeader(0, 0, stat.S_IFREG | 0o644), CONTENT)
            with pytest.raises(RepoModeError):
                tx.writer.write_data(FileHeader(0, 0, stat.S_IFREG | 0o4755), CONTENT)
            tx.commit()
        assert len(names_of(repo, ObjectType.FILE)) == 1


def test_archives_have_none(tmp_path):
    with make_repo(tmp_path / "repo", payload_link_threshold=0) as repo:
        with Transaction(repo) as tx:
            tx.writer.write_data(header(0o644), CONTENT)
            assert tx.writer._payload_links is None
            tx.commit()
        assert PayloadLinks is not None
