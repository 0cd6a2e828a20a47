# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT012, SIM117  # what is under test is what happens to a whole block
from __future__ import annotations

import os
import stat
from errno import EMLINK, EXDEV
from itertools import product

import pytest

from ostrya._linux import reflink
from ostrya.errors import OstryaError
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid, ObjectNotFound, RepoModeError
from ostrya.repo.importer import Importer
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_file
from ostrya.repo.repository import open_repository
from ostrya.repo.stores import base
from ostrya.repo.transaction import Transaction
from ostrya.repo.verify import ObjectVerifier
from ostrya.tree.modifier import CommitModifier
from support.small_repos import (
    ALL_MODES,
    WRITABLE_MODES,
    commit_tree,
    configure,
    make_repo,
    names_of,
    object_path,
    plain_tree,
)

CANONICAL = CommitModifier(canonical_permissions=True)
META = (ObjectType.COMMIT, ObjectType.DIR_TREE, ObjectType.DIR_META)


@pytest.fixture
def tree(tmp_path):
    return plain_tree(tmp_path / "tree")


def import_all(target, source, *, trusted=True, check_modes=False, names=None) -> int:
    with Transaction(target) as tx:
        importer = Importer(
            target, source, tx.writer, trusted=trusted, check_user_only_modes=check_modes
        )
        for name in sorted(names_of(source) if names is None else names):
            if name.type == ObjectType.FILE:
                importer.import_content(name.checksum)
            elif name.type in META:
                importer.import_metadata(name)
        tx.commit()
        return importer.imported


def verify_all(repo, names) -> None:
    verifier = ObjectVerifier(repo)
    for name in names:
        verifier.verify(name)


PAIRS = [(a, b) for a, b in product(ALL_MODES, WRITABLE_MODES) if a != RepoMode.BARE_SPLIT_XATTRS]


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=str)
def test_every_pair_of_modes(tmp_path, tree, theirs, ours, trusted):
    with make_repo(tmp_path / "a", theirs) as source, make_repo(tmp_path / "b", ours) as target:
        commit_tree(source, tree, modifier=CANONICAL)
        if RepoMode.BARE in (theirs, ours) and os.geteuid() != 0:
            pytest.skip("owner 0 in mode bare needs root")
        names = names_of(source)
        assert import_all(target, source, trusted=trusted) == len(names)
        assert names_of(target) == names
        verify_all(target, names)
        assert import_all(target, source, trusted=trusted) == 0


def test_from_split_xattrs(tmp_path):
    with make_repo(tmp_path / "a", RepoMode.BARE_SPLIT_XATTRS) as source:
        with Transaction(source) as tx:
            header = FileHeader(os.geteuid(), os.getegid(), stat.S_IFREG | 0o644)
            checksum = tx.writer.write_data(header, b"content")
            tx.commit()
        name = ObjectName(checksum, ObjectType.FILE)
        open(f"{object_path(source, name)}-xattrs-link", "xb").close()
        for mode in (RepoMode.ARCHIVE, RepoMode.BARE_USER, RepoMode.BARE):
            with make_repo(tmp_path / str(mode), mode) as target:
                import_all(target, source, names=[name])
                verify_all(target, [name])


def linked(source, target, name) -> bool:
    return os.path.samefile(object_path(source, name), object_path(target, name))


@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
def test_same_mode_and_device_means_hard_links(tmp_path, tree, mode):
    with make_repo(tmp_path / "a", mode) as source, make_repo(tmp_path / "b", mode) as target:
        commit_tree(source, tree)
        import_all(target, source)
        for name in names_of(source):
            if not object_path(source, name).is_symlink():
                assert linked(source, target, name), name


@pytest.mark.parametrize("errno", [EXDEV, EMLINK])
@pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
def test_where_links_are_impossible_objects_are_copied(tmp_path, tree, monkeypatch, mode, errno):
    with make_repo(tmp_path / "a", mode) as source, make_repo(tmp_path / "b", mode) as target:
        commit_tree(source, tree)
        real = os.link

        def link(src, dst, **options):
            if not str(src).startswith("/proc"):
                raise OSError(errno, os.strerror(errno))
            real(src, dst, **options)

        monkeypatch.setattr(os, "link", link)
        import_all(target, source)
        names = names_of(source)
        assert names_of(target) == names
        verify_all(target, names)
        for name in names:
            if not object_path(source, name).is_symlink():
                assert not linked(source, target, name)


def test_a_file_shorter_than_its_size_is_named(tmp_path, tree, monkeypatch):
    """Some file systems say more than there is."""

    def copy(_src_fd, dst_fd, size):
        with open(os.devnull, "rb") as nothing:
            real(nothing.fileno(), dst_fd, size)

    with make_repo(tmp_path / "a") as source, make_repo(tmp_path / "b") as target:
        commit_tree(source, tree)
        real = reflink.copy_file_data
        monkeypatch.setattr(reflink, "copy_file_data", copy)
        monkeypatch.setattr(Importer, "_link", lambda *_args: False)
        (name, *_) = names_of(source, ObjectType.FILE)
        with pytest.raises(ObjectInvalid, match=f"{name} is invalid: its file ends before"):
            import_all(target, source, names=[name])
        assert names_of(target) == set()


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    with path.open("r+b") as stream:
        stream.write(content)


@pytest.mark.parametrize("kind", [*META, ObjectType.FILE], ids=lambda kind: kind.suffix)
@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=str)
def test_damaged_objects_are_refused_untrusted(tmp_path, tree, theirs, ours, kind):
    if RepoMode.BARE in (theirs, ours) and os.geteuid() != 0:
        pytest.skip("owner 0 in mode bare needs root")
    with make_repo(tmp_path / "a", theirs) as source, make_repo(tmp_path / "b", ours) as target:
        commit_tree(source, tree, modifier=CANONICAL)
        names = [n for n in names_of(source, kind) if not object_path(source, n).is_symlink()]
        victim = max(names, key=lambda n: object_path(source, n).stat().st_size)
        flip(object_path(source, victim))
        with pytest.raises(OstryaError, match=victim.checksum):
            import_all(target, source, trusted=False, names=[victim])
        assert victim not in names_of(target)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(a, b) for a, b in PAIRS if a != b and RepoMode.BARE not in (a, b)],
    ids=str,
)
def test_what_is_converted_is_hashed_unless_trusted(tmp_path, tree, theirs, ours):
    if (theirs, ours) == (RepoMode.BARE_USER, RepoMode.BARE_USER_ONLY):
        pytest.skip("linked as it is")
    with make_repo(tmp_path / "a", theirs) as source, make_repo(tmp_path / "b", ours) as target:
        commit_tree(source, tree, modifier=CANONICAL)
        names = [
            n for n in names_of(source, ObjectType.FILE) if not object_path(source, n).is_symlink()
        ]
        victim = max(names, key=lambda n: object_path(source, n).stat().st_size)
        flip(object_path(source, victim))
        with pytest.raises(OstryaError, match=victim.checksum):
            import_all(target, source, trusted=False, names=[victim])
        if theirs != RepoMode.ARCHIVE:
            # As it is with links, and with libostree.
            import_all(target, source, names=[victim])


def test_large_files_are_streamed(tmp_path, monkeypatch):
    for module in ("ostrya.repo.importer", "ostrya.repo.writer", "ostrya.repo.stores.archive"):
        monkeypatch.setattr(f"{module}.WHOLE_BYTES", 1000)
    monkeypatch.setattr(base, "CHUNK_BYTES", 300)
    monkeypatch.setattr("ostrya.repo.stores.archive.CHUNK_BYTES", 300)
    top = tmp_path / "tree"
    top.mkdir()
    (top / "large").write_bytes(os.urandom(5000))
    (top / "zeros").write_bytes(bytes(50_000))
    modes = (RepoMode.ARCHIVE, RepoMode.BARE_USER_ONLY, RepoMode.BARE_USER)
    for number, (theirs, ours) in enumerate(product(modes, modes)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with make_repo(folder / "a", theirs) as source, make_repo(folder / "b", ours) as target:
            commit_tree(source, top, modifier=CANONICAL)
            import_all(target, source)
            verify_all(target, names_of(source))


def test_a_parent_of_the_source_is_looked_at(tmp_path, tree):
    with make_repo(tmp_path / "below") as below:
        commit_tree(below, tree)
        with make_repo(tmp_path / "a") as source:
            configure(source, parent=below.path)
        with open_repository(str(tmp_path / "a")) as source, make_repo(tmp_path / "b") as target:
            names = names_of(below)
            import_all(target, source, names=names)
            assert names_of(target) == names


def test_what_our_parent_has_is_not_imported(tmp_path, tree):
    with make_repo(tmp_path / "below") as below, make_repo(tmp_path / "a") as source:
        for repo in (below, source):
            commit_tree(repo, tree)
        with make_repo(tmp_path / "b") as target:
            configure(target, parent=below.path)
        with open_repository(str(tmp_path / "b")) as target:
            assert import_all(target, source) == 0
            assert names_of(target) == set()


def test_what_is_missing_is_named(tmp_path):
    with make_repo(tmp_path / "a") as source, make_repo(tmp_path / "b") as target:
        for kind in (*META, ObjectType.FILE):
            name = ObjectName("ab" * 32, kind)
            with Transaction(target) as tx:
                importer = Importer(
                    target, source, tx.writer, trusted=True, check_user_only_modes=False
                )
                with pytest.raises(ObjectNotFound, match="ab" * 32):
                    if kind == ObjectType.FILE:
                        importer.import_content(name.checksum)
                    else:
                        importer.import_metadata(name)


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755, 0o666])
@pytest.mark.parametrize("theirs", [RepoMode.ARCHIVE, RepoMode.BARE_USER], ids=str)
def test_modes_that_user_only_cannot_hold(tmp_path, theirs, mode):
    with make_repo(tmp_path / "a", theirs) as source:
        with Transaction(source) as tx:
            checksum = tx.writer.write_data(FileHeader(0, 0, stat.S_IFREG | mode), b"content")
            tx.commit()
        name = ObjectName(checksum, ObjectType.FILE)
        with make_repo(tmp_path / "b", RepoMode.BARE_USER_ONLY) as target:
            with pytest.raises(RepoModeError, match=f"Content object {checksum}: invalid mode"):
                import_all(target, source, names=[name])
        with make_repo(tmp_path / "c", theirs) as target:
            with pytest.raises(RepoModeError, match=checksum):
                import_all(target, source, names=[name], check_modes=True)
            import_all(target, source, names=[name])


@pytest.fixture
def foreign(monkeypatch):
    """Let a repository look as if another user owned it."""
    real = os.fstat

    def give_away(repo) -> None:
        def fstat(fd):
            found = real(fd)
            if fd == repo.objects_fd:
                fields = list(found)
                fields[4] += 1
                return os.stat_result(fields)
            return found

        monkeypatch.setattr("ostrya.repo.importer.os.fstat", fstat)

    return give_away


class TestUntrustedFromAnotherUser:
    """What another user owns may change at any time, and carry what no checksum covers."""

    def test_nothing_is_linked(self, tmp_path, tree, foreign):
        with make_repo(tmp_path / "a") as source, make_repo(tmp_path / "b") as target:
            commit_tree(source, tree)
            foreign(source)
            import_all(target, source, trusted=False)
            verify_all(target, names_of(source))
            for name in names_of(source):
                assert not linked(source, target, name)

    @pytest.mark.parametrize("ours", [RepoMode.BARE_USER, RepoMode.BARE_USER_ONLY], ids=str)
    def test_modes_come_from_what_was_hashed(self, tmp_path, foreign, ours):
        with (
            make_repo(tmp_path / "a", RepoMode.BARE_USER) as source,
            make_repo(tmp_path / "b", ours) as target,
        ):
            with Transaction(source) as tx:
                header = FileHeader(0, 0, stat.S_IFREG | 0o755)
                checksum = tx.writer.write_data(header, b"content")
                tx.commit()
            name = ObjectName(checksum, ObjectType.FILE)
            object_path(source, name).chmod(0o4755)
            foreign(source)
            import_all(target, source, trusted=False, names=[name])
            assert stat.S_IMODE(object_path(target, name).stat().st_mode) == 0o755
            verify_all(target, [name])

    @pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
    def test_a_file_changed_after_it_was_looked_at(
        self, tmp_path, tree, foreign, monkeypatch, mode
    ):
        real = ObjectVerifier.verify

        def verify(verifier, name):
            real(verifier, name)
            flip(object_path(source, name))

        with make_repo(tmp_path / "a", mode) as source, make_repo(tmp_path / "b", mode) as target:
            commit_tree(source, tree)
            foreign(source)
            monkeypatch.setattr(ObjectVerifier, "verify", verify)
            names = [n for n in names_of(source) if not object_path(source, n).is_symlink()]
            import_all(target, source, trusted=False, names=names)
            monkeypatch.undo()
            verify_all(target, names)

    @pytest.mark.parametrize("kind", [*META, ObjectType.FILE], ids=lambda kind: kind.suffix)
    @pytest.mark.parametrize("mode", WRITABLE_MODES, ids=str)
    def test_damaged_objects_are_refused(self, tmp_path, tree, foreign, mode, kind):
        with make_repo(tmp_path / "a", mode) as source, make_repo(tmp_path / "b", mode) as target:
            commit_tree(source, tree)
            names = [n for n in names_of(source, kind) if not object_path(source, n).is_symlink()]
            victim = max(names, key=lambda n: object_path(source, n).stat().st_size)
            flip(object_path(source, victim))
            foreign(source)
            with pytest.raises(OstryaError, match=victim.checksum):
                import_all(target, source, trusted=False, names=[victim])
            assert victim not in names_of(target)


def test_bytes_that_are_another_objects(tmp_path):
    """A file under a wrong name is not taken for what its name says."""
    with (
        make_repo(tmp_path / "a") as source,
        make_repo(tmp_path / "b", RepoMode.BARE_USER) as target,
    ):
        header = FileHeader(0, 0, stat.S_IFREG | 0o644)
        with Transaction(source) as tx:
            one = tx.writer.write_data(header, b"one")
            two = tx.writer.write_data(header, b"two")
            tx.commit()
        paths = [object_path(source, ObjectName(c, ObjectType.FILE)) for c in (one, two)]
        paths[1].write_bytes(paths[0].read_bytes())
        with pytest.raises(ChecksumMismatch, match=two):
            import_all(target, source, trusted=False)
        with load_file(target, one) as loaded:
            assert loaded.read() == b"one"
