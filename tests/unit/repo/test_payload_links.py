# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import stat

import pytest

from ostrya._linux import reflink
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.modes import RepoMode
from ostrya.repo.payload_links import PayloadLinks
from ostrya.repo.reader import load_file
from ostrya.repo.transaction import Transaction
from support.small_repos import GID, UID, make_repo, names_of, object_path

CONTENT = b"content" * 100
PAYLOAD = ObjectName(hashlib.sha256(CONTENT).hexdigest(), ObjectType.PAYLOAD_LINK)


@pytest.fixture(params=["as it is", "as if it could"])
def clones(request, monkeypatch):
    """What this file system does, and a file system that can clone, played by copying."""
    if request.param == "as it is":
        return

    def copy(src_fd, dst_fd):
        os.pwrite(dst_fd, os.pread(src_fd, 1 << 20, 0), 0)
        return True

    monkeypatch.setattr(reflink, "try_clone", copy)


def header(mode: int) -> FileHeader:
    return FileHeader(UID, GID, stat.S_IFREG | mode)


@pytest.mark.usefixtures("clones")
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

    def test_objects_are_whole_whatever_the_file_system_can(self, repo):
        for checksum, mode in zip(self.write(repo), (0o644, 0o755, 0o600), strict=True):
            with load_file(repo, checksum) as loaded:
                assert loaded.header == header(mode)
                assert loaded.read() == CONTENT

    def test_the_first_object_is_linked_to(self, repo):
        first, *_ = self.write(repo)
        links = names_of(repo, ObjectType.PAYLOAD_LINK)
        if links:
            assert links == {PAYLOAD}
            wanted = f"../{first[:2]}/{first[2:]}.file"
            assert os.readlink(object_path(repo, PAYLOAD)) == wanted

    def test_small_files_have_none(self, repo):
        self.write(repo, b"small")
        assert names_of(repo, ObjectType.PAYLOAD_LINK) == set()

    def test_a_link_to_what_is_gone_is_made_anew(self, repo):
        first, second = self.write(repo, modes=(0o644, 0o755))
        object_path(repo, ObjectName(first, ObjectType.FILE)).unlink()
        third, *_ = self.write(repo, modes=(0o600,))
        with load_file(repo, third) as loaded:
            assert loaded.read() == CONTENT
        if names_of(repo, ObjectType.PAYLOAD_LINK):
            assert third[2:] in os.readlink(object_path(repo, PAYLOAD))
        assert ObjectName(second, ObjectType.FILE) in names_of(repo)

    @pytest.mark.parametrize(
        "target", ["/etc/passwd", "../../config", "../zz/" + "z" * 62 + ".file"]
    )
    def test_a_hostile_link_is_not_followed(self, repo, target):
        path = object_path(repo, PAYLOAD)
        path.parent.mkdir()
        path.symlink_to(target)
        (checksum,) = self.write(repo, modes=(0o644,))
        with load_file(repo, checksum) as loaded:
            assert loaded.read() == CONTENT


def test_archives_have_none(tmp_path):
    with make_repo(tmp_path / "repo", payload_link_threshold=0) as repo:
        with Transaction(repo) as tx:
            tx.writer.write_data(header(0o644), CONTENT)
            assert tx.writer._payload_links is None
            tx.commit()
        assert PayloadLinks is not None
