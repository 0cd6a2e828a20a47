# SPDX-License-Identifier: Apache-2.0
import gzip
import os
import tarfile

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.source_kinds import (
    ArchiveSource,
    DebianSource,
    DirectorySource,
    DockerArchiveSource,
    OciSource,
)
from ostrya.image.sources import find_source, take_in, take_in_source
from ostrya.repo.reader import load_dirmeta
from ostrya.tree.archive_import import ArchiveExtent
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.errors import ArchiveError
from support.archives import member, tar
from support.image_world import ROOTFS, Member, link, write_tar
from support.oci_images import Layout, write_docker_archive
from support.trees import write


def test_an_archive_says_who_owns_what(tx, tmp_path):
    editor, left_out, *_ = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS)))
    assert editor.header("etc/shadow")[:3] == (0, 42, 0o100640)
    assert editor.header("usr/bin/setuid").mode == 0o104755
    assert editor.header("usr/bin/capable").xattrs[0][0] == b"security.capability"
    owner = load_dirmeta(tx.repo, editor.find_dir("home/user").metadata_checksum)
    assert (owner.uid, owner.mode) == (1000, 0o40700)
    assert left_out == ("/var/lib/pipe",)


def test_places_that_the_kernel_fills_are_empty(tx, tmp_path):
    editor = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS))).editor
    assert [editor.names(name) for name in ("dev", "run", "tmp")] == [[], [], []]


def test_in_a_directory_all_is_of_root_unless_root_looks(tx, tmp_path):
    write(tmp_path / "tree/usr/file", b"x", 0o600)
    os.mkfifo(tmp_path / "tree/usr/fifo")
    editor, left_out, *_ = take_in(tx, str(tmp_path / "tree"))
    found = editor.header("usr/file")
    assert found.mode == 0o100600
    owner = 0 if os.geteuid() else os.stat(tmp_path).st_uid
    assert (found.uid, found.gid) == (owner, owner)
    assert left_out == ("/usr/fifo",)


@pytest.mark.parametrize("name", ["../etc/passwd", "usr/../../x", "a/../../b"])
def test_hostile_paths_are_refused(tx, tmp_path, name):
    with pytest.raises(ArchiveError):
        take_in(tx, str(write_tar(tmp_path / "x.tar", {name: Member(b"x")})))


def test_what_is_neither_is_refused(tx, tmp_path):
    with pytest.raises(SourceError, match="there is no root file system"):
        take_in(tx, str(tmp_path / "nowhere"))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceError, match="neither a directory nor an archive"):
        take_in(tx, str(tmp_path / "fifo"))


class TestFindSource:
    def test_what_a_path_looks_like(self, tmp_path):
        layout = Layout()
        image = layout.image(tar(member("usr", tarfile.DIRTYPE)))
        folder = layout.write(tmp_path / "layout", image)
        packed = layout.write_tar(tmp_path / "layout.tar", image)
        docker = write_docker_archive(tmp_path / "docker.tar.gz", b"", pack=gzip.compress)
        rootfs = str(write_tar(tmp_path / "x.tar", ROOTFS))
        (tmp_path / "empty").write_bytes(b"")
        assert find_source(folder) == OciSource(folder)
        assert find_source(packed) == OciSource(packed)
        assert find_source(docker) == DockerArchiveSource(docker)
        assert find_source(rootfs) == ArchiveSource(rootfs)
        assert find_source(str(tmp_path)) == DirectorySource(str(tmp_path))
        assert isinstance(find_source(str(tmp_path / "empty")), ArchiveSource)

    def test_what_is_spelled_out_need_not_be_there(self):
        assert find_source("debian:bookworm") == DebianSource("bookworm")


def test_an_image_brings_its_labels_and_its_name(tx, tmp_path):
    layout = Layout()
    image = layout.image(tar((member("usr/file"), b"x")), labels={"vendor": "us"})
    source = take_in(tx, layout.write(tmp_path / "layout", image))
    assert source.editor.read("usr/file") == b"x"
    assert source.labels == (("vendor", "us"),)
    assert source.origin == f"oci:{image['digest']}"


def test_a_commit_of_the_same_repository(tx, tmp_path):
    first = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS))).editor
    checksum = write_commit(tx, write_tree(tx, first.root), timestamp=1)
    source = take_in(tx, f"ostree::{checksum}")
    assert source.origin == f"ostree:{checksum}"
    assert source.editor.is_file("usr/lib/os-release")


class TestHostileArchives:
    def test_more_than_is_allowed(self, tx, tmp_path):
        path = tmp_path / "bomb.tar.gz"
        path.write_bytes(gzip.compress(tar((member("f"), bytes(1 << 20)))))
        with pytest.raises(ArchiveError, match=f"^{path}: .*more than 1,000 bytes"):
            take_in_source(tx, ArchiveSource(str(path)), limits=ArchiveExtent(1000, 10))

    def test_a_hundred_thousand_entries_of_one_name(self, tx, tmp_path):
        path = tmp_path / "many.tar"
        one = tar((member("f"), b"x"))[:1024]
        path.write_bytes(one * 3000 + bytes(1024))
        with pytest.raises(ArchiveError, match="more than 2,000 entries"):
            take_in_source(tx, ArchiveSource(str(path)), limits=ArchiveExtent(1 << 30, 2000))

    def test_a_path_through_a_link(self, tx, tmp_path):
        members = {"l": link("/etc"), "l/passwd": Member(b"x")}
        with pytest.raises(SourceError, match="l") as caught:
            take_in(tx, str(write_tar(tmp_path / "x.tar", members)))
        assert "through a file or a link" in caught.value.hint

    def test_paths_that_no_system_could_have(self, tx, tmp_path):
        with pytest.raises(SourceError, match="too long, or too deep"):
            take_in(tx, str(write_tar(tmp_path / "x.tar", {"a/" * 300 + "f": Member(b"x")})))
        with pytest.raises(SourceError, match="too long, or too deep"):
            take_in(tx, str(write_tar(tmp_path / "y.tar", {"a" * 5000: Member(b"x")})))
