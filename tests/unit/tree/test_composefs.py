# SPDX-License-Identifier: Apache-2.0
"""Images of commits: what they hold, what they promise, and how they get their names."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from ostrya._linux import fsverity
from ostrya.errors import IntegrityError, RepoError
from ostrya.formats.commit import KEY_COMPOSEFS_DIGEST
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.erofs.nodes import Node
from ostrya.formats.file_header import FileHeader
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.verity_digest import verity_digest
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_commit
from ostrya.repo.repository import create_repository, open_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import TreeRoot, write_commit
from ostrya.tree.composefs import (
    Verity,
    checkout_image,
    image_digest,
    image_tree,
    with_digest_key,
)
from ostrya.tree.errors import ImageDigestMismatch
from support.erofs_images import Image

CONTENT = b"content" * 2000
XATTRS = ((b"user.key", b"value"),)
PLAIN_DIR = DirMeta(0, 0, 0o40755)
# The tree below, as libostree's bindings read it and mkcomposefs 1.0.8 wrote it.
DIGEST = "ab560510714f6dac0a0a6ec40a881f03fa4081bc282989c566766ca2e6b28792"
DIGEST_WITHOUT_VERITY = "f1bcbeca7b7015d7e6a26c181b55e477c1e4d9dab32eda6412e6c1bca36bd02d"


def write_objects(transaction):
    """Write a small tree of odd owners, so that no privilege is needed; return its root."""
    writer = transaction.writer

    def add_dir(files=(), dirs=(), meta=PLAIN_DIR):
        tree = DirTree(tuple(sorted(files)), tuple(sorted(dirs))).encode()
        return (
            writer.write_metadata(ObjectType.DIR_TREE, tree),
            writer.write_metadata(ObjectType.DIR_META, meta.encode()),
        )

    same = writer.write_data(FileHeader(0, 0, 0o100644, "", ()), CONTENT)
    special = writer.write_data(FileHeader(70000, 3, 0o104755, "", XATTRS), b"x" * 5000)
    empty = writer.write_data(FileHeader(0, 0, 0o100600, "", ()), b"")
    link = writer.write_symlink(FileHeader(1, 2, 0o120777, "bin/täg", ()))
    bin_dir = add_dir([("a", same), ("b", same), ("empty", empty), ("special", special)])
    usr = add_dir([("link", link)], [("bin", *bin_dir)], DirMeta(5, 6, 0o41777, XATTRS))
    return TreeRoot(*add_dir([], [("usr", *usr)]))


def make_repo(folder, mode=RepoMode.ARCHIVE):
    return create_repository(str(folder / f"repo-{mode}"), mode)


def commit_tree(repo, metadata=None):
    with Transaction(repo) as transaction:
        root = write_objects(transaction)
        checksum = write_commit(
            transaction, root, timestamp=0, metadata=VarDict() if metadata is None else metadata
        )
        transaction.commit()
    return root, checksum


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    with make_repo(tmp_path_factory.mktemp("composefs")) as repo:
        yield repo, *commit_tree(repo)


def find(tree: Node, path: str) -> Node:
    for name in path.encode().split(b"/"):
        child = tree.children[name]
        assert isinstance(child, Node)
        tree = child
    return tree


def test_the_tree_is_the_committed_one(committed):
    repo, root, _ = committed
    tree = image_tree(repo, root)
    usr = find(tree, "usr")
    assert (usr.uid, usr.gid, usr.mode, usr.xattrs) == (5, 6, 0o41777, XATTRS)
    assert find(tree, "usr/link").payload == "bin/täg".encode()
    special = find(tree, "usr/bin/special")
    assert (special.uid, special.gid, special.mode, special.size) == (70000, 3, 0o104755, 5000)
    assert special.xattrs == XATTRS
    assert special.digest is not None
    assert special.digest.hex() == verity_digest([b"x" * 5000])


def test_content_is_an_object(committed):
    repo, root, _ = committed
    tree = image_tree(repo, root)
    one, other = find(tree, "usr/bin/a"), find(tree, "usr/bin/b")
    assert one is not other
    assert one.payload == other.payload
    prefix, _, name = one.payload.decode().partition("/")
    checksum = prefix + name.removesuffix(".file")
    header = FileHeader(0, 0, 0o100644, "", ()).encode_stream()
    assert checksum == hashlib.sha256(header + CONTENT).hexdigest()
    assert find(tree, "usr/bin/empty").payload == b""


def test_mount_points_are_made_where_they_lack(committed):
    repo, root, _ = committed
    tree = image_tree(repo, root)
    assert set(tree.children) == {b"usr", b"etc", b"boot", b"var", b"sysroot"}
    assert find(tree, "sysroot").mode == stat.S_IFDIR | 0o755


@pytest.mark.parametrize("mode", [RepoMode.ARCHIVE, RepoMode.BARE_USER])
def test_the_digest_does_not_depend_on_the_mode(tmp_path, mode):
    with make_repo(tmp_path, mode) as repo:
        root, _ = commit_tree(repo)
        assert image_digest(repo, root) == DIGEST
        assert image_digest(repo, root, jobs=1) == DIGEST


def test_a_transaction_under_way_knows_the_digest(tmp_path):
    with make_repo(tmp_path) as repo, Transaction(repo) as transaction:
        assert image_digest(repo, write_objects(transaction)) == DIGEST


def test_the_image_is_a_file_named_at_the_end(committed, tmp_path):
    repo, _, checksum = committed
    target = tmp_path / "image"
    target.write_bytes(b"earlier")
    assert checkout_image(repo, checksum, str(target)) == DIGEST
    data = target.read_bytes()
    assert verity_digest([data]) == DIGEST
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["image"]
    image = Image(data)
    usr = image.inode(image.inode(image.root_slot).entries[b"usr"])
    assert (usr.uid, usr.gid, usr.mode) == (5, 6, 0o41777)


def test_a_relative_destination(committed, tmp_path, monkeypatch):
    repo, _, checksum = committed
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    checkout_image(repo, checksum, "image")
    checkout_image(repo, checksum, "sub/image")
    assert (tmp_path / "image").read_bytes() == (tmp_path / "sub" / "image").read_bytes()


def test_without_digests_of_files(committed, tmp_path):
    repo, _, checksum = committed
    target = str(tmp_path / "image")
    assert checkout_image(repo, checksum, target, verity=Verity.NONE) == DIGEST_WITHOUT_VERITY


def test_sealed_objects_are_not_read(tmp_path, monkeypatch):
    with make_repo(tmp_path, RepoMode.BARE_USER) as repo:
        root, _ = commit_tree(repo)
        monkeypatch.setattr(fsverity, "measure", lambda _fd: b"m" * 32)
        for verity in (Verity.ALL, Verity.IF_SEALED):
            tree = image_tree(repo, root, verity=verity, jobs=1)
            assert find(tree, "usr/bin/a").digest == b"m" * 32
        monkeypatch.setattr(fsverity, "measure", lambda _fd: None)
        tree = image_tree(repo, root, verity=Verity.IF_SEALED, jobs=1)
        assert find(tree, "usr/bin/a").digest is None


def promise(digest: bytes) -> VarDict:
    return VarDict.of({KEY_COMPOSEFS_DIGEST: Variant("ay", digest)})


def test_a_kept_promise(tmp_path):
    with make_repo(tmp_path) as repo:
        _, checksum = commit_tree(repo, promise(bytes.fromhex(DIGEST)))
        assert checkout_image(repo, checksum, str(tmp_path / "image")) == DIGEST


def test_a_broken_promise_leaves_no_file(tmp_path):
    with make_repo(tmp_path) as repo:
        _, checksum = commit_tree(repo, promise(bytes(32)))
        with pytest.raises(ImageDigestMismatch, match=DIGEST) as caught:
            checkout_image(repo, checksum, str(tmp_path / "image"))
        assert caught.value.expected == "0" * 64
        assert not (tmp_path / "image").exists()
        # Without digests of files the promise is about another image.
        checkout_image(repo, checksum, str(tmp_path / "image"), verity=Verity.NONE)


def test_a_promise_of_the_wrong_size(tmp_path):
    with make_repo(tmp_path) as repo:
        _, checksum = commit_tree(repo, promise(b"short"))
        with pytest.raises(IntegrityError, match="wrong size"):
            checkout_image(repo, checksum, str(tmp_path / "image"))


def test_the_key_replaces_an_earlier_one():
    metadata = VarDict.of(
        {"version": Variant("s", "1"), KEY_COMPOSEFS_DIGEST: Variant("ay", b"old")}
    )
    found = with_digest_key(metadata, DIGEST)
    assert found.lookup(KEY_COMPOSEFS_DIGEST, "ay") == bytes.fromhex(DIGEST)
    assert found.lookup("version", "s") == "1"
    assert len(found) == 2


def test_a_missing_object_is_named(tmp_path):
    with make_repo(tmp_path) as repo:
        _, checksum = commit_tree(repo)
        tree = image_tree(repo, TreeRoot(*_root_of(repo, checksum)))
        payload = find(tree, "usr/bin/special").payload.decode()
        os.unlink(payload + "z", dir_fd=repo.objects_fd)
        with pytest.raises(ObjectNotFound) as caught:
            checkout_image(repo, checksum, str(tmp_path / "image"))
        name = ObjectName(payload.replace("/", "").removesuffix(".file"), ObjectType.FILE)
        assert name.checksum in caught.value.message
        assert not (tmp_path / "image").exists()


def _root_of(repo, checksum):
    commit = load_commit(repo, checksum)
    return commit.root_contents, commit.root_metadata


def test_sealing_may_be_required(tmp_path, monkeypatch):
    with make_repo(tmp_path) as repo:
        _, checksum = commit_tree(repo)
    config = tmp_path / f"repo-{RepoMode.ARCHIVE}" / "config"
    config.write_text(config.read_text() + "[ex-integrity]\nfsverity=yes\n")
    sealed = []

    def seal(fd):
        sealed.append(os.get_blocking(fd))
        return False

    monkeypatch.setattr(fsverity, "try_enable", seal)
    with (
        open_repository(str(config.parent)) as repo,
        pytest.raises(RepoError, match="fsverity required"),
    ):
        checkout_image(repo, checksum, str(tmp_path / "image"))
    assert len(sealed) == 1
    assert not (tmp_path / "image").exists()
