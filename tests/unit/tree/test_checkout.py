# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import os
import shutil
import stat
import tempfile
from errno import EMLINK, EXDEV
from pathlib import Path

import pytest

from ostrya._linux import dirfd
from ostrya.errors import FormatError, OstryaError
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree import checkout_files
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite
from ostrya.tree.commit import TreeRoot, write_commit
from ostrya.tree.devino import DevInoCache
from ostrya.tree.errors import HardlinkImpossible, NotADirectory, PathNotFound
from ostrya.tree.modifier import CommitModifier
from support import trees
from support.small_repos import (
    WRITABLE_MODES,
    commit_files,
    commit_tree,
    make_repo,
    names_of,
    object_path,
    open_fds,
    plain_tree,
)

# How each mode of repository lays out a tree with links to its objects.
LINKS_AS_USER = {
    RepoMode.BARE: False,
    RepoMode.BARE_USER: True,
    RepoMode.BARE_USER_ONLY: True,
}
UNIONS = (Overwrite.UNION_FILES, Overwrite.ADD_FILES, Overwrite.UNION_IDENTICAL)


@pytest.fixture(params=WRITABLE_MODES, ids=str)
def repo(request, tmp_path):
    with make_repo(tmp_path / "repo", request.param) as repo:
        yield repo


@pytest.fixture
def archive(tmp_path):
    with make_repo(tmp_path / "archive") as repo:
        yield repo


def user(**options) -> CheckoutOptions:
    return CheckoutOptions(user_mode=True, **options)


def union(overwrite=Overwrite.UNION_FILES, **options) -> CheckoutOptions:
    return user(overwrite=overwrite, **options)


def lay_out(repo, checksum, out: Path, options: CheckoutOptions | None = None, **more):
    return checkout_commit(repo, checksum, str(out), options=options or user(), jobs=1, **more)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("copied", [False, True])
def test_what_was_committed_comes_back(repo, tmp_path, jobs, copied):
    top = plain_tree(tmp_path / "tree")
    checksum = commit_tree(repo, top)
    before = open_fds()
    options = user(force_copy=copied)
    result = checkout_commit(repo, checksum, str(tmp_path / "out"), options=options, jobs=jobs)
    assert open_fds() == before
    assert result == (5, 7)
    for path in top.rglob("*"):
        out = tmp_path / "out" / path.relative_to(top)
        assert stat.S_IMODE(out.lstat().st_mode) == stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            assert out.readlink() == path.readlink()
        elif path.is_file():
            assert out.read_bytes() == path.read_bytes()


def test_odd_names_come_back(repo, tmp_path):
    checksum = commit_tree(repo, trees.plain_tree(tmp_path / "tree"))
    lay_out(repo, checksum, tmp_path / "out")
    for path in (tmp_path / "tree").rglob("*"):
        out = tmp_path / "out" / path.relative_to(tmp_path / "tree")
        assert os.path.lexists(out)
        if path.is_file() and not path.is_symlink():
            assert out.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("mode", LINKS_AS_USER, ids=str)
class TestHardLinks:
    @pytest.fixture
    def repo(self, tmp_path, mode):
        with make_repo(tmp_path / "repo", mode) as repo:
            yield repo

    @pytest.fixture
    def checksum(self, repo, tmp_path):
        return commit_tree(repo, plain_tree(tmp_path / "tree"))

    def inodes(self, repo) -> set[int]:
        return {object_path(repo, name).lstat().st_ino for name in names_of(repo, ObjectType.FILE)}

    def options(self, mode, **more) -> CheckoutOptions:
        return CheckoutOptions(user_mode=LINKS_AS_USER[mode], **more)

    def test_files_are_the_objects_but_for_empty_ones(self, repo, checksum, tmp_path, mode):
        lay_out(repo, checksum, tmp_path / "out", self.options(mode, require_hardlinks=True))
        assert (tmp_path / "out/usr/bin/tool").stat().st_ino in self.inodes(repo)
        assert (tmp_path / "out/etc/empty").stat().st_ino not in self.inodes(repo)

    def test_force_copy_links_nothing(self, repo, checksum, tmp_path, mode):
        lay_out(repo, checksum, tmp_path / "out", self.options(mode, force_copy=True))
        for path in (tmp_path / "out").rglob("*"):
            assert path.is_dir() or path.lstat().st_ino not in self.inodes(repo)

    @pytest.mark.parametrize("errno", [EMLINK, EXDEV])
    def test_copied_where_linking_fails(self, repo, checksum, tmp_path, mode, errno, monkeypatch):
        def fail(*_args, **_options):
            raise OSError(errno, os.strerror(errno))

        monkeypatch.setattr(os, "link", fail)
        lay_out(repo, checksum, tmp_path / "out", self.options(mode))
        assert (tmp_path / "out/usr/bin/tool").read_bytes() == b"#!/bin/sh\n"
        with pytest.raises(OSError, match=os.strerror(errno)):
            lay_out(repo, checksum, tmp_path / "out2", self.options(mode, require_hardlinks=True))

    @pytest.mark.parametrize("overwrite", [Overwrite.UNION_FILES, Overwrite.UNION_IDENTICAL])
    def test_twice_over_itself(self, repo, checksum, tmp_path, mode, overwrite):
        for _ in range(2):
            lay_out(repo, checksum, tmp_path / "out", self.options(mode, overwrite=overwrite))
        assert os.listdir(repo.tmp_fd) == ["cache"]

    def test_over_other_files_across_devices(self, repo, checksum, tmp_path, mode, monkeypatch):
        """A name that is taken is noticed before the other device is."""
        options = self.options(mode, overwrite=Overwrite.UNION_FILES)
        lay_out(repo, checksum, tmp_path / "out", options)
        tool = tmp_path / "out/usr/bin/tool"
        tool.unlink()
        tool.write_text("mine")
        real = os.rename

        def rename(src, dst, **fds):
            if str(src).startswith("checkout-union-"):
                raise OSError(EXDEV, os.strerror(EXDEV))
            real(src, dst, **fds)

        monkeypatch.setattr(os, "rename", rename)
        lay_out(repo, checksum, tmp_path / "out", options)
        assert tool.read_bytes() == b"#!/bin/sh\n"
        assert os.listdir(repo.tmp_fd) == ["cache"]

    def test_devino_learns_what_was_linked(self, repo, checksum, tmp_path, mode):
        cache = DevInoCache()
        lay_out(repo, checksum, tmp_path / "out", self.options(mode, devino=cache))
        found = (tmp_path / "out/usr/bin/tool").stat()
        known = cache.get(found.st_dev, found.st_ino)
        assert ObjectName(known, ObjectType.FILE) in names_of(repo)


def test_required_links_that_are_impossible(tmp_path):
    with make_repo(tmp_path / "b", RepoMode.BARE) as repo:
        checksum = commit_files(repo, tmp_path, {"f": "x"})
        with pytest.raises(HardlinkImpossible, match="in user checkout mode"):
            lay_out(repo, checksum, tmp_path / "out", user(require_hardlinks=True))
    with make_repo(tmp_path / "u", RepoMode.BARE_USER) as repo:
        checksum = commit_files(repo, tmp_path, {"f": "x"})
        with pytest.raises(HardlinkImpossible, match="requires user checkout mode"):
            lay_out(repo, checksum, tmp_path / "o2", CheckoutOptions(require_hardlinks=True))


def test_another_device(tmp_path):
    other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
            if other.stat().st_dev == tmp_path.stat().st_dev:
                pytest.skip("no second file system here")
            checksum = commit_tree(repo, plain_tree(tmp_path / "tree"))
            for _ in range(2):
                lay_out(repo, checksum, other / "out", union())
            (other / "out/usr/bin/tool").write_text("mine")
            lay_out(repo, checksum, other / "out", union())
            assert (other / "out/usr/bin/tool").read_bytes() == b"#!/bin/sh\n"
            with pytest.raises(HardlinkImpossible, match="across devices"):
                lay_out(repo, checksum, other / "out2", user(require_hardlinks=True))
    finally:
        shutil.rmtree(other)


class TestOverwriting:
    def test_nothing_without_permission_to(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"f": "new"})
        (tmp_path / "out").mkdir()
        with pytest.raises(FileExistsError, match="out"):
            lay_out(repo, checksum, tmp_path / "out")
        assert os.listdir(tmp_path / "out") == []

    @pytest.mark.parametrize("copied", [False, True])
    @pytest.mark.parametrize(
        ("overwrite", "wanted"), [(Overwrite.UNION_FILES, "new"), (Overwrite.ADD_FILES, "old")]
    )
    def test_files_that_are_there(self, repo, tmp_path, overwrite, wanted, copied):
        checksum = commit_files(repo, tmp_path, {"d/f": "new", "d/g": "added"})
        (tmp_path / "out/d").mkdir(parents=True)
        (tmp_path / "out/d/f").write_text("old")
        (tmp_path / "out/mine").write_text("kept")
        lay_out(repo, checksum, tmp_path / "out", union(overwrite, force_copy=copied))
        assert (tmp_path / "out/d/f").read_text() == wanted
        assert (tmp_path / "out/d/g").read_text() == "added"
        assert (tmp_path / "out/mine").read_text() == "kept"
        assert sorted(os.listdir(tmp_path / "out/d")) == ["f", "g"]

    def test_only_what_is_the_same(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"f": "new"})
        (tmp_path / "out").mkdir()
        (tmp_path / "out/f").write_text("old")
        with pytest.raises(FileExistsError):
            lay_out(repo, checksum, tmp_path / "out", union(Overwrite.UNION_IDENTICAL))
        assert (tmp_path / "out/f").read_text() == "old"

    @pytest.mark.parametrize("overwrite", UNIONS)
    def test_a_directory_in_the_way_of_a_file_is_kept(self, repo, tmp_path, overwrite):
        checksum = commit_files(repo, tmp_path, {"f": "new"})
        (tmp_path / "out/f").mkdir(parents=True)
        (tmp_path / "out/f/mine").write_text("kept")
        if overwrite == Overwrite.ADD_FILES:
            lay_out(repo, checksum, tmp_path / "out", union(overwrite))
        else:
            with pytest.raises(OSError, match=r"."):
                lay_out(repo, checksum, tmp_path / "out", union(overwrite))
        assert (tmp_path / "out/f/mine").read_text() == "kept"
        assert os.listdir(tmp_path / "out") == ["f"]
        assert os.listdir(repo.tmp_fd) == ["cache"]

    @pytest.mark.parametrize("overwrite", UNIONS)
    def test_a_file_in_the_way_of_a_directory_is_kept(self, repo, tmp_path, overwrite):
        checksum = commit_files(repo, tmp_path, {"d/f": "new"})
        (tmp_path / "out").mkdir()
        (tmp_path / "out/d").write_text("kept")
        with pytest.raises(NotADirectoryError):
            lay_out(repo, checksum, tmp_path / "out", union(overwrite))
        assert (tmp_path / "out/d").read_text() == "kept"


class TestLinksInTheDestination:
    """A link that somebody placed below the destination leads nowhere."""

    @pytest.fixture
    def outside(self, tmp_path) -> Path:
        (tmp_path / "outside/b").mkdir(parents=True)
        (tmp_path / "outside/f").write_text("untouched")
        return tmp_path / "outside"

    @pytest.mark.parametrize("overwrite", UNIONS)
    @pytest.mark.parametrize("files", [{"a/f": "x"}, {"a/b/f": "x"}, {"a/b/c/d/f": "x"}])
    @pytest.mark.parametrize("ordered", [False, True])
    def test_as_a_directory(self, repo, tmp_path, outside, overwrite, files, ordered):
        checksum = commit_files(repo, tmp_path, files)
        (tmp_path / "out").mkdir()
        (tmp_path / "out/a").symlink_to(outside)
        more = {"filter": lambda _path, _info: True} if ordered else {}
        with pytest.raises(OSError, match=r"."):
            lay_out(repo, checksum, tmp_path / "out", union(overwrite, **more))
        assert sorted(os.listdir(outside)) == ["b", "f"]
        assert os.listdir(outside / "b") == []
        assert (outside / "f").read_text() == "untouched"

    @pytest.mark.parametrize("copied", [False, True])
    def test_as_a_file(self, repo, tmp_path, outside, copied):
        checksum = commit_files(repo, tmp_path, {"f": "new"})
        (tmp_path / "out").mkdir()
        (tmp_path / "out/f").symlink_to(outside / "f")
        lay_out(repo, checksum, tmp_path / "out", union(force_copy=copied))
        assert (outside / "f").read_text() == "untouched"
        assert (tmp_path / "out/f").read_text() == "new"
        assert not (tmp_path / "out/f").is_symlink()

    def test_opaque_directories_remove_nothing_behind_it(self, repo, tmp_path, outside):
        checksum = commit_files(repo, tmp_path, {"a/b/.wh..wh..opq": "", "a/b/f": "x"})
        (tmp_path / "out").mkdir()
        (tmp_path / "out/a").symlink_to(outside)
        (outside / "b/kept").touch()
        options = union(Overwrite.ADD_FILES, process_whiteouts=True)
        with pytest.raises(OSError, match=r"."):
            lay_out(repo, checksum, tmp_path / "out", options)
        assert os.listdir(outside / "b") == ["kept"]


class TestWhiteouts:
    def test_remove_what_they_name(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"d/.wh.f": "", "d/.wh.sub": "", "d/new": "n"})
        (tmp_path / "out/d/sub/deep").mkdir(parents=True)
        (tmp_path / "out/d/f").touch()
        (tmp_path / "out/d/kept").touch()
        lay_out(repo, checksum, tmp_path / "out", union(process_whiteouts=True))
        assert sorted(os.listdir(tmp_path / "out/d")) == ["kept", "new"]

    def test_opaque_directories_hide_all(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {"d/.wh..wh..opq": "", "d/new": "n"})
        (tmp_path / "out/d/old").mkdir(parents=True)
        lay_out(repo, checksum, tmp_path / "out", union(process_whiteouts=True))
        assert os.listdir(tmp_path / "out/d") == ["new"]

    def test_an_opaque_root_hides_all(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {".wh..wh..opq": "", "new": "n"})
        (tmp_path / "out/old").mkdir(parents=True)
        lay_out(repo, checksum, tmp_path / "out", union(process_whiteouts=True))
        assert os.listdir(tmp_path / "out") == ["new"]

    def test_links_are_none(self, repo, tmp_path):
        (tmp_path / "tree").mkdir()
        (tmp_path / "tree/.wh.kept").symlink_to("x")
        checksum = commit_tree(repo, tmp_path / "tree")
        (tmp_path / "out").mkdir()
        (tmp_path / "out/kept").touch()
        lay_out(repo, checksum, tmp_path / "out", union(process_whiteouts=True))
        assert sorted(os.listdir(tmp_path / "out")) == [".wh.kept", "kept"]

    def test_are_files_like_any_otherwise(self, repo, tmp_path):
        checksum = commit_files(repo, tmp_path, {".wh.f": "x"})
        lay_out(repo, checksum, tmp_path / "out")
        assert os.listdir(tmp_path / "out") == [".wh.f"]

    @pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
    def test_hostile_ones_remove_nothing(self, archive, tmp_path, name):
        checksum = commit_files(archive, tmp_path, {f"d/{name}": ""})
        (tmp_path / "out/d").mkdir(parents=True)
        (tmp_path / "kept").touch()
        with pytest.raises(FormatError):
            lay_out(archive, checksum, tmp_path / "out", union(process_whiteouts=True))
        assert (tmp_path / "out/d").is_dir()
        assert (tmp_path / "kept").exists()

    @pytest.mark.root
    def test_quoted_ones_become_devices(self, archive, tmp_path):
        checksum = commit_files(archive, tmp_path, {"d/.ostree-wh.f": ""})
        options = user(process_passthrough_whiteouts=True)
        lay_out(archive, checksum, tmp_path / "out", options)
        found = (tmp_path / "out/d/f").lstat()
        assert stat.S_ISCHR(found.st_mode)
        assert found.st_rdev == 0


class TestUserMode:
    def test_nobody_becomes_somebody_else(self, archive, tmp_path):
        top = tmp_path / "tree"
        trees.write(top / "setuid", b"x", 0o4755)
        trees.write(top / "setgid", b"x", 0o2755)
        trees.write(top / "secret", b"x", 0o000)
        checksum = commit_tree(archive, top, modifier=CommitModifier(owner_uid=0, owner_gid=0))
        lay_out(archive, checksum, tmp_path / "out")
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "out").iterdir()}
        assert modes == {"setuid": 0o755, "setgid": 0o755, "secret": 0o400}

    def test_unreadable_objects_are_copied_and_not_linked(self, tmp_path):
        with make_repo(tmp_path / "repo", RepoMode.BARE_USER) as repo:
            trees.write(tmp_path / "tree/secret", b"x", 0o200)
            checksum = commit_tree(repo, tmp_path / "tree")
            lay_out(repo, checksum, tmp_path / "out")
            (name,) = names_of(repo, ObjectType.FILE)
            assert not os.path.samefile(tmp_path / "out/secret", object_path(repo, name))
            assert stat.S_IMODE((tmp_path / "out/secret").stat().st_mode) == 0o600


class TestParts:
    @pytest.fixture
    def checksum(self, archive, tmp_path):
        return commit_tree(archive, plain_tree(tmp_path / "tree"))

    @pytest.mark.parametrize("subpath", ["usr/bin", "/usr/bin", "/usr/bin/", "./usr//bin"])
    def test_a_directory(self, archive, checksum, tmp_path, subpath):
        lay_out(archive, checksum, tmp_path / "out", subpath=subpath)
        assert os.listdir(tmp_path / "out") == ["tool"]

    def test_a_file(self, archive, checksum, tmp_path):
        lay_out(archive, checksum, tmp_path / "out", subpath="/usr/bin/tool")
        assert os.listdir(tmp_path / "out") == ["tool"]

    @pytest.mark.parametrize(
        ("subpath", "file"), [("usr/bin/tool/x", "usr/bin/tool"), ("bin/tool", "bin")]
    )
    def test_through_a_file(self, archive, checksum, tmp_path, subpath, file):
        with pytest.raises(NotADirectory, match=f"Not a directory: /{file}"):
            lay_out(archive, checksum, tmp_path / "out", subpath=subpath)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("subpath", ["nothing", "usr/nothing", ".."])
    def test_nothing(self, archive, checksum, tmp_path, subpath):
        with pytest.raises(PathNotFound, match=f"No such file or directory: /{subpath}"):
            lay_out(archive, checksum, tmp_path / "out", subpath=subpath)
        assert not (tmp_path / "out").exists()

    def test_a_filter_leaves_out(self, archive, checksum, tmp_path):
        asked = []

        def keep(path, info):
            asked.append(path)
            return path not in ("/usr/share", "/etc/conf")

        lay_out(archive, checksum, tmp_path / "out", user(filter=keep))
        assert not (tmp_path / "out/usr/share").exists()
        assert sorted(os.listdir(tmp_path / "out/etc")) == ["empty"]
        assert "/usr/share/doc" not in asked

    def test_skipped_paths(self, archive, checksum, tmp_path):
        options = user(skip_paths=frozenset({"/etc/conf"}))
        lay_out(archive, checksum, tmp_path / "out", options)
        assert os.listdir(tmp_path / "out/etc") == ["empty"]


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../x", "/etc"])
def test_hostile_names_never_reach_the_disk(archive, tmp_path, name):
    tree = DirTree(files=((name or "z", "a" * 64),))
    data = DirTree(files=(("q" * len(name or "z"), "a" * 64),)).encode() if name else tree.encode()
    data = data.replace(b"q" * len(name), name.encode()) if name else data.replace(b"z\0", b"\0\0")
    with Transaction(archive) as tx:
        contents = tx.writer.write_metadata(ObjectType.DIR_TREE, data)
        dirmeta = DirMeta(0, 0, stat.S_IFDIR | 0o755).encode()
        metadata = tx.writer.write_metadata(ObjectType.DIR_META, dirmeta)
        checksum = write_commit(tx, TreeRoot(contents, metadata), timestamp=0)
        tx.commit()
    with pytest.raises(OstryaError, match=contents):
        lay_out(archive, checksum, tmp_path / "out")
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []


def test_deeper_than_any_path(repo, tmp_path):
    """Committed and laid out, one by a path of more bytes than the kernel takes."""
    name, levels = "é" * 100, 30
    (tmp_path / "tree").mkdir()
    fd = os.open(tmp_path / "tree", os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, 0o755, dir_fd=fd)
        next_fd = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = next_fd
    file_fd = os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd)
    os.write(file_fd, b"here")
    os.close(file_fd)
    os.close(fd)
    try:
        checksum = commit_tree(repo, tmp_path / "tree")
        for overwrite in (Overwrite.NONE, Overwrite.UNION_FILES):
            lay_out(repo, checksum, tmp_path / "out", user(overwrite=overwrite))
        top = os.open(tmp_path / "out", os.O_RDONLY)
        fd = dirfd.open_dir_below(top, "/".join([name] * levels))
        assert dirfd.read_file("bottom", dir_fd=fd, max_bytes=10) == b"here"
        os.close(fd)
        os.close(top)
    finally:
        for place in ("out", "tree"):
            dirfd.remove_tree(str(tmp_path / place))


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_missing_object_is_named_with_its_path(archive, tmp_path, jobs):
    checksum = commit_files(archive, tmp_path, {"d/f": "x", "d/g": "y"})
    victim = next(iter(names_of(archive, ObjectType.FILE)))
    object_path(archive, victim).unlink()
    with pytest.raises(ObjectNotFound, match=victim.checksum) as caught:
        checkout_commit(archive, checksum, str(tmp_path / "out"), options=user(), jobs=jobs)
    assert "/d/" in caught.value.hint


def test_damaged_content_is_named_and_not_left_behind(archive, tmp_path):
    checksum = commit_files(archive, tmp_path, {"f": "x" * 1000})
    (victim,) = names_of(archive, ObjectType.FILE)
    os.truncate(object_path(archive, victim), object_path(archive, victim).stat().st_size - 2)
    with pytest.raises(OstryaError, match=victim.checksum):
        lay_out(archive, checksum, tmp_path / "out")
    assert not (tmp_path / "out/f").exists()


@pytest.mark.parametrize("fsync", [False, True])
def test_files_and_directories_are_synced_when_asked(archive, tmp_path, monkeypatch, fsync):
    checksum = commit_tree(archive, plain_tree(tmp_path / "tree"))
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_mode))
    lay_out(archive, checksum, tmp_path / "out", user(fsync=fsync))
    assert len([mode for mode in synced if stat.S_ISDIR(mode)]) == (7 if fsync else 0)
    assert len([mode for mode in synced if stat.S_ISREG(mode)]) == (4 if fsync else 0)


def test_directories_are_private_until_they_are_full(archive, tmp_path, monkeypatch):
    checksum = commit_tree(archive, plain_tree(tmp_path / "tree"))
    seen = set()
    real = checkout_files.FilePlacer.place

    def place(self, dir_fd, name, *more):
        seen.add(stat.S_IMODE(os.fstat(dir_fd).st_mode))
        real(self, dir_fd, name, *more)

    monkeypatch.setattr(checkout_files.FilePlacer, "place", place)
    lay_out(archive, checksum, tmp_path / "out")
    assert seen == {0o700}
