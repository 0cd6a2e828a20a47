# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.base_tree import BaseTree
from ostrya.image.cache import Cache
from ostrya.image.commit_step import commit_tree
from ostrya.image.recipe.values import Recipe, RepositoryWish
from ostrya.image.release import publish_release
from ostrya.image.tree import TreeEditor
from ostrya.repo.fsck import fsck
from ostrya.repo.reader import iter_commits, load_commit
from ostrya.repo.refs import list_refs, require_rev
from ostrya.repo.signing import commit_signatures
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_tree
from ostrya.tree.mutable_tree import MutableTree
from support.ed25519_keys import key_pair

BASE = BaseTree("0" * 64, "6.1", (), 5, "oci:sha256:0", (("a", "b"),))


@pytest.fixture
def kept(tmp_path):
    with Cache(str(tmp_path / "cache")).repository(6) as repo:
        yield repo


def tree(kept, text):
    with Transaction(kept) as tx:
        editor = TreeEditor(tx, MutableTree())
        editor.write("usr/lib/modules/6.1/vmlinuz", text)
        root = write_tree(tx, editor.root)
        tx.commit()
    return root


def test_a_release_follows_the_one_before(repo, kept):
    recipe = Recipe("r", version="1")
    first = commit_tree(repo, kept, tree(kept, b"1"), recipe, BASE, 5)
    assert first.is_new
    # Devices see it when somebody says so.
    assert list_refs(repo) == {}
    publish_release(repo, "os/stable", first.checksum)
    again = commit_tree(repo, kept, tree(kept, b"1"), recipe, BASE, 6)
    assert again == (first.checksum, False)
    second = commit_tree(repo, kept, tree(kept, b"2"), recipe, BASE, 7)
    assert load_commit(repo, second.checksum).parent == first.checksum
    publish_release(repo, "os/stable", second.checksum)
    assert require_rev(repo, "os/stable") == second.checksum
    assert len(list(iter_commits(repo))) == 2
    assert list_refs(kept) == {}
    commit = load_commit(repo, first.checksum)
    assert commit.metadata.lookup("version", "s") == "1"
    assert commit.metadata.lookup("ostree.bootable", "b")
    assert commit.metadata.lookup("ostrya.source", "s") == "oci:sha256:0"
    fsck(repo)


def test_without_a_repository_it_has_no_history(kept):
    recipe = Recipe("r")
    first = commit_tree(kept, kept, tree(kept, b"1"), recipe, BASE, 5)
    second = commit_tree(kept, kept, tree(kept, b"2"), recipe, BASE, 5)
    assert load_commit(kept, second.checksum).parent is None
    assert first != second
    assert list_refs(kept) == {}


def test_commits_are_signed(repo, kept, tmp_path):
    key = tmp_path / "key"
    key.write_text(f"{key_pair(1).secret_text}\n")
    recipe = Recipe("r", repository=RepositoryWish(sign_keys=(str(key),)))
    made = commit_tree(repo, kept, tree(kept, b"1"), recipe, BASE, 5)
    assert len(commit_signatures(repo, made.checksum, "ostree.sign.ed25519")) == 1
