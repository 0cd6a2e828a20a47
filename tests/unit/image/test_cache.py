# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image import cache as module
from ostrya.image.cache import BASES, Cache, code_digest, fingerprint, key_of
from ostrya.image.tree import TreeEditor
from ostrya.repo.refs import list_refs
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.mutable_tree import MutableTree

OLD_NS = 1_700_000_000_000_000_000


@pytest.fixture
def cache(tmp_path):
    return Cache(str(tmp_path / "cache"))


def test_what_a_step_made_is_found_by_its_key(cache):
    assert cache.load("step", "key") is None
    cache.store("step", "key", b"made")
    assert Cache(cache.path).load("step", "key") == b"made"
    assert cache.load("step", "other") is None


def test_a_file_is_read_again_only_when_it_changes(cache, tmp_path, monkeypatch):
    path = tmp_path / "rootfs.tar"
    path.write_bytes(b"one")
    monkeypatch.setattr(module, "_RACY_NS", 0)
    first = cache.digest(str(path))
    read = []
    monkeypatch.setattr(module, "file_digest", lambda *args: read.append(args))
    assert cache.digest(str(path)) == first
    assert read == []
    monkeypatch.undo()
    path.write_bytes(b"two")
    assert cache.digest(str(path)) != first


def test_what_changed_just_now_is_not_remembered(cache, tmp_path):
    path = tmp_path / "rootfs.tar"
    path.write_bytes(b"one")
    cache.digest(str(path))
    assert os.listdir(f"{cache.path}/digests") == []


def test_a_fingerprint_changes_with_anything_in_it(tmp_path, monkeypatch):
    assert fingerprint(str(tmp_path)) is not None
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_text("x")
    assert fingerprint(str(tmp_path)) is None
    monkeypatch.setattr(module, "_RACY_NS", 0)
    seen = [fingerprint(str(tmp_path))]
    for change in (
        lambda: (tmp_path / "sub/file").write_text("y"),
        lambda: (tmp_path / "sub/file").chmod(0o600),
        lambda: (tmp_path / "sub/new").symlink_to("file"),
    ):
        change()
        seen.append(fingerprint(str(tmp_path)))
    assert len(set(seen)) == len(seen)
    assert fingerprint(str(tmp_path)) == seen[-1]


def test_keys_depend_on_all_facts():
    assert key_of("a", ("b",)) == key_of("a", ("b",))
    assert key_of("a", "b") != key_of("ab")
    assert code_digest() == code_digest()


def test_what_was_not_used_for_long_is_forgotten(cache, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_BASES", 2)
    with cache.repository(1) as repo:
        commits = {}
        for number in range(4):
            with Transaction(repo) as tx:
                editor = TreeEditor(tx, MutableTree())
                editor.write("file", str(number).encode())
                root = write_tree(tx, editor.root)
                commits[number] = write_commit(tx, root, timestamp=number)
                tx.set_ref(None, f"{BASES}/{number}", commits[number])
                tx.commit()
            cache.store(BASES, str(number), b"{}")
            place = f"{cache.path}/steps/{BASES}-{number}"
            os.utime(place, ns=(OLD_NS, os.stat(place).st_mtime_ns - (9 - number) * 10**9))
    cache.store("old", "key", b"")
    os.utime(f"{cache.path}/steps/old-key", ns=(OLD_NS, OLD_NS))
    os.makedirs(f"{cache.objects}/ab")
    open(f"{cache.objects}/ab/{'0' * 62}.file", "w").close()
    cache.clean_up()
    assert sorted(os.listdir(f"{cache.path}/steps")) == [f"{BASES}-2", f"{BASES}-3"]
    assert os.listdir(f"{cache.objects}/ab") == []
    with cache.repository(1) as repo:
        assert sorted(list_refs(repo)) == [f"{BASES}/2", f"{BASES}/3"]


def test_nothing_is_forgotten_while_somebody_builds(cache):
    cache.store("old", "key", b"")
    os.utime(f"{cache.path}/steps/old-key", ns=(OLD_NS, OLD_NS))
    with cache.shared():
        Cache(cache.path).clean_up()
        assert cache.load("old", "key") == b""
