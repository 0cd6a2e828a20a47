# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ostrya._linux import dirfd
from ostrya.errors import FormatError
from ostrya.formats.object_name import ObjectType
from ostrya.repo.fsck import fsck
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_commit, load_dirmeta, load_dirtree, load_file
from ostrya.repo.transaction import Transaction
from ostrya.tree import scan_worker
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions
from ostrya.tree.devino import DevInoCache, scan_hardlinks
from ostrya.tree.errors import ChangedWhileRead, TreeConflict, UnmatchedPaths, UnsupportedFile
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from support import trees
from support.privileges import file_modes_count
from support.small_repos import (
    WRITABLE_MODES,
    commit_files,
    commit_tree,
    make_repo,
    names_of,
    need_user_xattrs,
    object_path,
    open_fds,
    plain_tree,
)


@pytest.fixture
def top(tmp_path) -> Iterator[Path]:
    top = tmp_path / "tree"
    top.mkdir(mode=0o755)
    top.chmod(0o755)
    yield top
    # Deeper than others can remove, perhaps.
    dirfd.remove_tree(str(top))


def entries(repo, commit: str, path: str = "") -> dict[str, str]:
    """Names of a directory of a commit, files with their content checksum."""
    return dict(tree_at(repo, commit, path).files)


def tree_at(repo, commit: str, path: str):
    contents = load_commit(repo, commit).root_contents
    for part in filter(None, path.split("/")):
        dirs = {name: child for name, child, _ in load_dirtree(repo, contents).dirs}
        contents = dirs[part]
    return load_dirtree(repo, contents)


def header_of(repo, commit: str, path: str):
    folder, _, name = path.rpartition("/")
    with load_file(repo, entries(repo, commit, folder)[name]) as loaded:
        return loaded.header


def root_mode(repo, commit: str) -> int:
    return load_dirmeta(repo, load_commit(repo, commit).root_metadata).mode


def dir_mode(repo, commit: str, path: str) -> int:
    folder, _, wanted = path.rpartition("/")
    for name, _, metadata in tree_at(repo, commit, folder).dirs:
        if name == wanted:
            return load_dirmeta(repo, metadata).mode
    raise KeyError(path)


@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
def test_jobs_make_no_difference(tmp_path, mode):
    trees.plain_tree(tmp_path / "tree")
    found = set()
    for jobs in (1, 3):
        with make_repo(tmp_path / f"repo{jobs}", mode) as repo:
            before = open_fds()
            found.add(commit_tree(repo, tmp_path / "tree", jobs=jobs))
            assert {fd for fd in open_fds() - before if ".lock" not in fd} == set()
            fsck(repo, jobs=1)
    assert len(found) == 1


class TestRefused:
    def test_names_that_are_not_utf8(self, repo, top):
        (top / "d").mkdir()
        Path(os.fsdecode(os.fsencode(top) + b"/d/\xff\xfe")).touch()
        with pytest.raises(FormatError):
            commit_tree(repo, top)

    def test_link_targets_that_are_not_utf8(self, repo, top):
        os.symlink(b"\xff", os.fsencode(top) + b"/link")
        with pytest.raises(FormatError):
            commit_tree(repo, top)

    @pytest.mark.timeout(10)
    def test_a_pipe(self, repo, top):
        (top / "d").mkdir()
        os.mkfifo(top / "d/pipe")
        with pytest.raises(UnsupportedFile, match=r"Not a regular file or symlink: /.*/d/pipe"):
            commit_tree(repo, top)

    def test_a_socket(self, repo, top, monkeypatch):
        monkeypatch.chdir(top)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket")
            with pytest.raises(UnsupportedFile, match="/socket"):
                commit_tree(repo, top)

    def test_but_not_if_it_is_left_out(self, repo, top):
        os.mkfifo(top / "pipe")
        commit_tree(repo, top, modifier=CommitModifier(skip_paths={"/pipe"}))

    @pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
    def test_what_may_not_be_read(self, repo, top, make):
        make(top / "secret")
        (top / "secret").chmod(0)
        with file_modes_count(), pytest.raises(PermissionError, match="secret"):
            commit_tree(repo, top)

    def test_what_is_no_directory(self, repo, top):
        (top / "f").touch()
        with pytest.raises(NotADirectoryError):
            commit_tree(repo, top / "f")

    def test_a_file_over_a_directory_of_another_tree(self, repo, tmp_path, top):
        (top / "x").mkdir()
        (tmp_path / "other").mkdir()
        (tmp_path / "other/x").touch()
        with Transaction(repo) as tx:
            tree = MutableTree()
            write_directory(tx, str(top), tree, jobs=1)
            with pytest.raises(TreeConflict, match="x"):
                write_directory(tx, str(tmp_path / "other"), tree, jobs=1)


def on_read(monkeypatch, change) -> None:
    """Let something happen to the tree just before a file is read."""
    real = scan_worker._ScanWorker._store

    def store(self, task):
        change(task[1])
        return real(self, task)

    monkeypatch.setattr(scan_worker._ScanWorker, "_store", store)


@pytest.mark.parametrize("whole", [1 << 20, 1000], ids=["at-once", "streamed"])
@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
class TestChangesWhileRead:
    @pytest.fixture
    def repo(self, tmp_path, mode, whole, monkeypatch):
        for module in (
            "ostrya.tree.scan_worker",
            "ostrya.repo.writer",
            "ostrya.repo.stores.archive",
        ):
            monkeypatch.setattr(f"{module}.WHOLE_BYTES", whole)
        with make_repo(tmp_path / "repo", mode) as repo:
            yield repo

    def committing_fails(self, repo, top):
        with pytest.raises(
            ChangedWhileRead, match=r"/tree/file: file changed while it was being read$"
        ):
            commit_tree(repo, top)
        assert names_of(repo, ObjectType.COMMIT) == set()

    @pytest.mark.parametrize("size", [0, 1, 1500, 5000])
    def test_another_size(self, repo, top, monkeypatch, size):
        (top / "file").write_bytes(b"x" * 2000)
        with monkeypatch.context() as patch:
            on_read(patch, lambda name: (top / name).write_bytes(b"y" * size))
            self.committing_fails(repo, top)
        # What was read is not handed on in a way that harms the next one.
        commit_tree(repo, top)
        fsck(repo, jobs=1)

    def test_the_same_size(self, repo, top, monkeypatch):
        (top / "file").write_bytes(b"x" * 2000)
        on_read(monkeypatch, lambda name: (top / name).write_bytes(b"y" * 2000))
        self.committing_fails(repo, top)

    def test_between_two_readings(self, repo, top, monkeypatch, whole):
        (top / "file").write_bytes(b"x" * 2000)
        real = scan_worker.read_chunks
        calls = []

        def read(fd):
            if calls:
                with (top / "file").open("ab") as stream:
                    stream.write(b"more")
            calls.append(fd)
            return real(fd)

        monkeypatch.setattr(scan_worker, "read_chunks", read)
        if whole > 2000:
            commit_tree(repo, top)
        else:
            self.committing_fails(repo, top)

    def test_another_file_in_its_place(self, repo, top, monkeypatch):
        (top / "file").write_bytes(b"x" * 2000)
        when = (top / "file").stat().st_mtime_ns

        def replace(name):
            (top / "other").write_bytes(b"y" * 2000)
            os.utime(top / "other", ns=(when, when))
            (top / "other").rename(top / name)

        on_read(monkeypatch, replace)
        self.committing_fails(repo, top)

    @pytest.mark.timeout(10)
    def test_a_pipe_in_its_place(self, repo, top, monkeypatch):
        (top / "file").write_bytes(b"x" * 2000)

        def replace(name):
            (top / name).unlink()
            os.mkfifo(top / name)

        on_read(monkeypatch, replace)
        self.committing_fails(repo, top)

    def test_a_link_in_its_place_is_not_followed(self, repo, top, tmp_path, monkeypatch):
        (top / "file").write_bytes(b"x" * 2000)
        (tmp_path / "secret").write_bytes(b"s" * 2000)

        def replace(name):
            (top / name).unlink()
            (top / name).symlink_to(tmp_path / "secret")

        on_read(monkeypatch, replace)
        self.committing_fails(repo, top)

    @pytest.mark.timeout(10)
    def test_a_pipe_that_is_written_to(self, repo, top, monkeypatch):
        (top / "file").write_bytes(b"x" * 2000)
        held = []

        def replace(name):
            (top / name).unlink()
            os.mkfifo(top / name)
            held.append(os.open(top / name, os.O_RDWR))

        on_read(monkeypatch, replace)
        self.committing_fails(repo, top)
        os.close(held[0])

    def test_gone(self, repo, top, monkeypatch):
        (top / "file").write_bytes(b"x" * 2000)
        on_read(monkeypatch, lambda name: (top / name).unlink())
        with pytest.raises(FileNotFoundError, match="/file"):
            commit_tree(repo, top)


def test_a_directory_swapped_for_a_link_leads_nowhere(repo, top, tmp_path, monkeypatch):
    (top / "a/b").mkdir(parents=True)
    (top / "a/b/f").touch()
    (tmp_path / "outside/b").mkdir(parents=True)
    (tmp_path / "outside/b/secret").touch()

    def swap(self, fd, relative, place):
        if relative == "a":
            (top / "a").rename(tmp_path / "aside")
            (top / "a").symlink_to(tmp_path / "outside")
        return real(self, fd, relative, place)

    from ostrya.tree import scan

    real = scan._Scan._take_directory
    monkeypatch.setattr(scan._Scan, "_take_directory", swap)
    with pytest.raises(OSError, match="a/b"):
        commit_tree(repo, top)


class TestContent:
    @pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 5000])
    def test_around_the_threshold(self, repo, top, monkeypatch, size):
        for module in (
            "ostrya.tree.scan_worker",
            "ostrya.repo.writer",
            "ostrya.repo.stores.archive",
        ):
            monkeypatch.setattr(f"{module}.WHOLE_BYTES", 1000)
        content = os.urandom(size)
        (top / "f").write_bytes(content)
        commit = commit_tree(repo, top)
        with load_file(repo, entries(repo, commit)["f"]) as loaded:
            assert loaded.size == size
            assert loaded.read() == content
        fsck(repo, jobs=1)

    def test_streamed_and_at_once_are_the_same(self, tmp_path, top, monkeypatch):
        (top / "f").write_bytes(os.urandom(5000))
        with make_repo(tmp_path / "a") as one, make_repo(tmp_path / "b") as two:
            commit = commit_tree(one, top)
            monkeypatch.setattr("ostrya.tree.scan_worker.WHOLE_BYTES", 10)
            assert commit_tree(two, top) == commit

    def test_sparse_files(self, repo, top):
        with (top / "sparse").open("wb") as stream:
            stream.truncate(3_000_000)
            stream.seek(1_000_000)
            stream.write(b"island")
        commit = commit_tree(repo, top)
        with load_file(repo, entries(repo, commit)["sparse"]) as loaded:
            assert loaded.read() == (top / "sparse").read_bytes()

    def test_hard_links_are_files_each(self, repo, top):
        (top / "a").write_text("same")
        os.link(top / "a", top / "b")
        commit = commit_tree(repo, top)
        found = entries(repo, commit)
        assert found["a"] == found["b"]
        assert len(names_of(repo, ObjectType.FILE)) == 1

    def test_links_are_not_followed(self, repo, top):
        (top / "to-dir").symlink_to("/etc")
        (top / "to-file").symlink_to("/etc/passwd")
        (top / "dangling").symlink_to("nowhere")
        (top / "loop").symlink_to("loop")
        commit = commit_tree(repo, top)
        targets = {
            name: header_of(repo, commit, name).symlink_target for name in entries(repo, commit)
        }
        assert targets == {"to-dir": "/etc", "to-file": "/etc/passwd", "dangling": "nowhere", "loop": "loop"}  # fmt: skip

    def test_xattrs(self, repo, top):
        need_user_xattrs(top)
        (top / "f").touch()
        os.setxattr(top / "f", "user.b", b"\0")
        os.setxattr(top / "f", "user.a", b"1")
        os.setxattr(top / "f", "user.empty", b"")
        commit = commit_tree(repo, top)
        assert header_of(repo, commit, "f").xattrs == ((b"user.a", b"1"), (b"user.b", b"\0"))
        commit = commit_tree(repo, top, modifier=CommitModifier(skip_xattrs=True))
        assert header_of(repo, commit, "f").xattrs == ()

    def test_deep_trees(self, repo, tmp_path, top):
        fd = os.open(top, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("d", 0o755, dir_fd=fd)
            next_fd = os.open("d", os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = next_fd
        os.close(fd)
        modifier = CommitModifier(consume=True)
        commit = commit_tree(repo, top, modifier=modifier)
        assert load_commit(repo, commit).root_contents
        modifier.consumed[0].delete()
        assert not top.exists()


class TestModifier:
    def test_statoverride_adds_to_files_and_to_the_root(self, repo, top):
        trees.write(top / "d/f", b"", 0o644)
        (top / "d").chmod(0o755)
        adds = {"/d/f": 0o4000, "/": 0o020, "/d": 0o2000}
        modifier = CommitModifier(mode_adds=adds)
        commit = commit_tree(repo, top, modifier=modifier)
        modifier.check_all_matched()
        assert header_of(repo, commit, "d/f").mode == 0o104644
        assert root_mode(repo, commit) == 0o40775
        # libostree drops additions to directories below the root.
        assert dir_mode(repo, commit, "d") == 0o40755

    def test_overrides_set_modes(self, repo, top):
        trees.write(top / "d/f", b"", 0o644)
        (top / "d").chmod(0o755)
        overrides = {"/d/f": 0o600, "/d": 0o700}
        commit = commit_tree(repo, top, modifier=CommitModifier(mode_overrides=overrides))
        assert header_of(repo, commit, "d/f").mode == 0o100600
        assert dir_mode(repo, commit, "d") == 0o40700

    def test_what_matched_nothing_is_told(self, repo, top):
        modifier = CommitModifier(mode_adds={"/nothing": 1}, skip_paths={"/neither"})
        commit_tree(repo, top, modifier=modifier)
        with pytest.raises(UnmatchedPaths, match="Unmatched statoverride paths") as caught:
            modifier.check_all_matched()
        assert caught.value.paths == ("/nothing",)
        modifier.mode_adds.clear()
        with pytest.raises(UnmatchedPaths, match="Unmatched skip-list paths"):
            modifier.check_all_matched()

    def test_skipped_directories_are_not_looked_into(self, repo, top):
        (top / "d").mkdir()
        os.mkfifo(top / "d/pipe")
        commit = commit_tree(repo, top, modifier=CommitModifier(skip_paths={"/d"}))
        assert tree_at(repo, commit, "").dirs == ()

    def test_owners(self, repo, top):
        (top / "f").touch()
        commit = commit_tree(repo, top, modifier=CommitModifier(owner_uid=12, owner_gid=34))
        assert header_of(repo, commit, "f")[:2] == (12, 34)

    def test_canonical(self, repo, top):
        trees.write(top / "f", b"", 0o4777)
        commit = commit_tree(repo, top, modifier=CommitModifier(canonical_permissions=True))
        assert header_of(repo, commit, "f") == (0, 0, 0o100755, "", ())

    def test_read_only_executables(self, repo, top):
        trees.write(top / "program", b"", 0o755)
        trees.write(top / "data", b"", 0o644)
        commit = commit_tree(repo, top, modifier=CommitModifier(read_only_executables=True))
        assert header_of(repo, commit, "program").mode == 0o100555
        assert header_of(repo, commit, "data").mode == 0o100644

    def test_a_filter_changes_and_leaves_out(self, repo, top):
        trees.write(top / "kept", b"")
        trees.write(top / "out", b"")

        def decide(path, info):
            return None if path == "/out" else FileInfo(7, 7, info.mode)

        commit = commit_tree(repo, top, modifier=CommitModifier(filter=decide))
        assert list(entries(repo, commit)) == ["kept"]
        assert header_of(repo, commit, "kept").uid == 7

    def test_labels(self, repo, top):
        trees.write(top / "usr/etc/f", b"")
        modifier = CommitModifier(
            label_for=lambda path, _mode: f"label{path}", label_usr_etc_as_etc=True
        )
        commit = commit_tree(repo, top, modifier=modifier)
        assert (b"security.selinux", b"label/etc/f\0") in header_of(
            repo, commit, "usr/etc/f"
        ).xattrs


class TestConsume:
    @pytest.mark.parametrize("mode", [RepoMode.BARE, RepoMode.BARE_USER_ONLY], ids=str)
    @pytest.mark.parametrize("jobs", [1, 3])
    def test_files_become_objects(self, tmp_path, mode, jobs):
        top = plain_tree(tmp_path / "tree")
        with make_repo(tmp_path / "repo", mode) as repo:
            inode = (top / "usr/bin/tool").stat().st_ino
            modifier = CommitModifier(consume=True)
            commit_tree(repo, top, modifier=modifier, jobs=jobs)
            inodes = {object_path(repo, n).lstat().st_ino for n in names_of(repo, ObjectType.FILE)}
            assert inode in inodes
            modifier.consumed[0].delete()
            assert not top.exists()
            fsck(repo, jobs=1)

    @pytest.mark.parametrize("mode", [RepoMode.BARE, RepoMode.BARE_USER_ONLY], ids=str)
    def test_equal_files_in_many_batches(self, tmp_path, mode, monkeypatch):
        """Two workers may find the same content new at the same time."""
        monkeypatch.setattr("ostrya.tree.scan._BATCH_FILES", 1)
        top = tmp_path / "tree"
        for number in range(60):
            trees.write(top / f"f{number}", b"same")
        top.chmod(0o755)
        with make_repo(tmp_path / "repo", mode) as repo:
            commit_tree(repo, top, modifier=CommitModifier(consume=True), jobs=4)
            assert len(names_of(repo, ObjectType.FILE)) == 1
            fsck(repo, jobs=1)

    def test_without_consume_files_stay_their_own(self, tmp_path):
        top = plain_tree(tmp_path / "tree")
        with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
            commit_tree(repo, top)
            assert (top / "usr/bin/tool").stat().st_nlink == 1

    @pytest.mark.parametrize("mode", [RepoMode.ARCHIVE, RepoMode.BARE_USER], ids=str)
    def test_other_modes_copy(self, tmp_path, mode):
        top = plain_tree(tmp_path / "tree")
        with make_repo(tmp_path / "repo", mode) as repo:
            commit_tree(repo, top, modifier=CommitModifier(consume=True))
            assert (top / "usr/bin/tool").stat().st_nlink == 1
            fsck(repo, jobs=1)

    def test_where_links_are_impossible_it_copies(self, tmp_path, monkeypatch):
        top = plain_tree(tmp_path / "tree")
        real = os.link

        def link(src, dst, **options):
            if os.fstat(int(str(src).rpartition("/")[2])).st_nlink:
                raise OSError(18, "Invalid cross-device link")
            real(src, dst, **options)

        monkeypatch.setattr(os, "link", link)
        with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
            commit_tree(repo, top, modifier=CommitModifier(consume=True))
            fsck(repo, jobs=1)


class TestDevIno:
    def test_what_was_linked_is_not_read_again(self, tmp_path, monkeypatch):
        top = plain_tree(tmp_path / "tree")
        with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
            first = commit_tree(repo, top)
            checkout_commit(
                repo, first, str(tmp_path / "out"), options=CheckoutOptions(user_mode=True), jobs=1
            )
            trees.write(tmp_path / "out/etc/new", b"new")
            read = []
            on_read(monkeypatch, read.append)
            modifier = CommitModifier(canonical_permissions=True, devino=scan_hardlinks(repo))
            second = commit_tree(repo, tmp_path / "out", modifier=modifier)
            assert "new" in read
            assert "tool" not in read
            assert entries(repo, second, "usr/bin") == entries(repo, first, "usr/bin")
            fsck(repo, jobs=1)

    def test_canonical_believes_the_cache_whatever_was_changed(self, repo, tmp_path, top):
        commit = commit_files(repo, tmp_path, {"f": "original"})
        checksum = entries(repo, commit)["f"]
        (top / "f").write_text("changed")
        found = (top / "f").stat()
        cache = DevInoCache()
        cache.add(found.st_dev, found.st_ino, checksum)
        assert len(cache) == 1
        modifier = CommitModifier(devino=cache, devino_canonical=True)
        second = commit_tree(repo, top, modifier=modifier)
        assert entries(repo, second)["f"] == checksum


def test_sizes_are_gathered_by_workers_too(tmp_path):
    top = plain_tree(tmp_path / "tree")
    found = []
    for jobs in (1, 3):
        with make_repo(tmp_path / f"repo{jobs}") as repo, Transaction(repo) as tx:
            tx.want_sizes()
            write_directory(tx, str(top), MutableTree(), jobs=jobs)
            found.append({key: entry[2] for key, entry in tx.sizes.items()})
            tx.commit()
    assert found[0] == found[1]
    assert len(found[0]) >= 5


def test_stats_of_a_file_that_is_left_alone(top):
    """What the tests above lean on: reading does not change what a scan compares."""
    (top / "f").write_bytes(b"x")
    before = (top / "f").stat()
    fd = os.open(top, os.O_RDONLY)
    dirfd.read_file("f", dir_fd=fd, max_bytes=10)
    os.close(fd)
    after = (top / "f").stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert stat.S_ISREG(after.st_mode)
