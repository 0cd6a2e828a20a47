# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import pytest

from ostrya.errors import FetchError, OstryaError
from ostrya.formats.checksum import Checksum
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.formats.refs import CollectionRef
from ostrya.pull.errors import NotTrusted, ObjectNotServed, OlderCommit, RemoteRefusal
from ostrya.pull.network import require_pullable
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.places import RemotePlaces
from ostrya.pull.remote_pull import RemotePull
from ostrya.repo.config_writer import write_config
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.errors import (
    BindingMismatch,
    ChecksumMismatch,
    ObjectInvalid,
    TransactionError,
)
from ostrya.repo.fsck import fsck
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_dirtree, load_file
from ostrya.repo.ref_writer import write_collection_ref
from ostrya.repo.refs import list_refs
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.repo.summary import regenerate_summary
from ostrya.repo.transaction import Transaction
from ostrya.tree.lookup import commit_root
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import (
    WRITABLE_MODES,
    commit_files,
    commit_tree,
    make_repo,
    names_of,
    open_fds,
    plain_tree,
)


class Trusting:
    """Vouches for everything, and remembers what it saw."""

    wants_summary = False
    vouched: ClassVar = {}

    def __init__(self) -> None:
        self.seen: list[tuple[Checksum, bytes, VarDict | None]] = []

    def check(self, checksum, data, detached):
        self.seen.append((checksum, data, detached))

    def check_summary(self, data, signatures):
        pass


class Distrusting(Trusting):
    wants_summary = True

    def check(self, checksum, data, detached):
        raise NotTrusted("not by me")

    def check_summary(self, data, signatures):
        raise NotTrusted("not by me")


@pytest.fixture
def source(tmp_path):
    with make_repo(tmp_path / "source", RepoMode.ARCHIVE) as repo:
        yield repo


@pytest.fixture(params=WRITABLE_MODES, ids=lambda mode: mode.value)
def target(request, tmp_path):
    with make_repo(tmp_path / "target", request.param) as repo:
        yield repo


@pytest.fixture
def archive(tmp_path):
    with make_repo(tmp_path / "archive", RepoMode.ARCHIVE) as repo:
        yield repo


@pytest.fixture
def fetcher(source):
    return FolderFetcher(source.path)


@pytest.fixture
def first(source, tmp_path):
    return commit_tree(source, plain_tree(tmp_path / "tree"))


def add_remote(repo, **settings):
    keyfile = repo.config.keyfile
    for key, value in {"url": BASE, **settings}.items():
        keyfile.set_value('remote "origin"', key.replace("_", "-"), value)
    write_config(repo, keyfile)
    repo.reload_config()


def pull(repo, fetcher, *refs, judge=None, jobs=2, caches=(), **options):
    if not RemoteSettingsOf(repo):
        add_remote(repo)
    return RemotePull(
        repo,
        RemoteSettings(repo, "origin"),
        places=RemotePlaces((BASE,), (BASE,)),
        fetcher=fetcher,
        judge=judge or Trusting(),
        caches=caches,
        options=PullOptions(**options),
        jobs=jobs,
    ).run([ref if isinstance(ref, RefRequest) else RefRequest(ref) for ref in refs] or None)


def RemoteSettingsOf(repo) -> bool:  # noqa: N802
    return repo.config.keyfile.has_group('remote "origin"')


@pytest.mark.parametrize("spools", [False, True], ids=["in memory", "in files"])
def test_everything_arrives(target, source, fetcher, first, spools):
    fetcher.spools = spools
    before = open_fds()
    result = pull(target, fetcher, "main")
    # The lock stays open for the next time.
    assert [fd for fd in open_fds() - before if not fd.endswith(".lock")] == []
    assert list_refs(target) == {"origin:main": first}
    assert result.refs == {CollectionRef("", "main"): first}
    kinds = {name.type for name in names_of(source)}
    assert names_of(target) == names_of(source)
    assert (result.content_fetched, result.is_local) == (
        len(names_of(source, ObjectType.FILE)),
        False,
    )
    assert kinds == {ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.DIR_META, ObjectType.COMMIT}
    assert not is_partial(target, first)
    fsck(target, jobs=1)
    # Nothing is asked for twice, and of a complete commit only what may have changed.
    assert len(fetcher.asked) == len(set(fetcher.asked))
    fetcher.asked.clear()
    again = pull(target, fetcher, "main")
    assert (again.content_fetched, again.content_bytes_written) == (0, 0)
    assert not [path for path in fetcher.asked if path.endswith((".filez", ".dirtree", ".commit"))]


@pytest.mark.parametrize("mirror", [False, True])
def test_where_nothing_is_new_nothing_changes(archive, source, fetcher, first, mirror):
    def state():
        found = os.stat(archive.path), os.stat(ref)
        return [(one.st_ino, one.st_mtime_ns) for one in found]

    ref = Path(archive.path, "refs", "heads" if mirror else "remotes/origin", "main")
    pull(archive, fetcher, "main", mirror=mirror)
    before = state()
    pull(archive, fetcher, "main", mirror=mirror)
    assert state() == before
    ref.write_text(f"{'0' * 64}\n")
    pull(archive, fetcher, "main", mirror=mirror)
    assert ref.read_text() == f"{first}\n"


def test_a_mirror_has_the_same_bytes(archive, source, fetcher, first):
    commit_files(source, Path(source.path).parent, {"f": "x"}, ref="other")
    regenerate_summary(source)
    Path(source.path, "summary.sig").write_bytes(b"what the server says")
    for name in ("summary", "summary.sig"):
        assert not Path(archive.path, name).exists()
    result = pull(archive, fetcher, mirror=True)
    assert list_refs(archive) == list_refs(source)
    assert len(result.refs) == 2
    # As it is counted for other modes.
    contents = set(names_of(source, ObjectType.FILE))
    sizes = [load_file(source, name.checksum) for name in contents]
    assert result.content_bytes_written == sum(one.size for one in sizes)
    for one in sizes:
        one.close()
    for name in names_of(source):
        path = loose_path(name, archive=True)
        ours, theirs = (Path(repo.path, "objects", path) for repo in (archive, source))
        assert ours.read_bytes() == theirs.read_bytes()
        assert ours.stat().st_mode & 0o777 == 0o644
    for name in ("summary", "summary.sig"):
        assert Path(archive.path, name).read_bytes() == Path(source.path, name).read_bytes()


def test_a_mirror_of_some_refs_keeps_its_own_summary(archive, source, fetcher, first):
    regenerate_summary(archive, now=1)
    before = Path(archive.path, "summary").read_bytes()
    regenerate_summary(source)
    pull(archive, fetcher, "main", mirror=True)
    assert Path(archive.path, "summary").read_bytes() == before


def test_a_mirror_with_branches_of_our_choice_is_no_copy(archive, source, fetcher, first):
    commit_files(source, Path(source.path).parent, {"f": "x"}, ref="other")
    add_remote(archive, branches="main;")
    assert list(pull(archive, fetcher, mirror=True).refs) == [CollectionRef("", "main")]
    regenerate_summary(source)
    pull(archive, fetcher, mirror=True)
    assert list_refs(archive) == list_refs(source)
    assert not Path(archive.path, "summary").exists()


def test_a_mirror_s_summary_comes_after_what_it_lists(archive, source, fetcher, first, monkeypatch):
    regenerate_summary(source)

    def fail(self):
        raise TransactionError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "commit", fail)
        with pytest.raises(TransactionError, match="the disk is full"):
            pull(archive, fetcher, mirror=True)
    assert not Path(archive.path, "summary").exists()


def test_a_mirror_that_keeps_its_summary_up_to_date(archive, source, fetcher, first):
    """Its own would not fit the remote's signature."""
    archive.config.keyfile.set_value("core", "auto-update-summary", "true")
    write_config(archive, archive.config.keyfile)
    archive.reload_config()
    regenerate_summary(source, now=1)
    pull(archive, fetcher, mirror=True)
    ours, theirs = (Path(repo.path, "summary").read_bytes() for repo in (archive, source))
    assert ours == theirs


@pytest.mark.parametrize("kind", [ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.COMMIT])
@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "another"])
def test_what_is_not_what_its_name_says_does_not_enter(
    target, source, fetcher, first, kind, damage
):
    victims = list(names_of(source, kind))
    other = next(iter(names_of(source, ObjectType.DIR_META)))
    victim = loose_path(min(victims), archive=True)

    def lie(path, data):
        if data is None or path != f"objects/{victim}":
            return data
        return {
            "changed": data[:-1] + bytes([data[-1] ^ 1]),
            "cut": data[:-1],
            "empty": b"",
            "another": Path(source.path, "objects", loose_path(other, archive=True)).read_bytes(),
        }[damage]

    fetcher.lie = lie
    with pytest.raises((ChecksumMismatch, ObjectInvalid, OstryaError)) as caught:
        pull(target, fetcher, "main")
    assert victim[:2] + victim[3:].partition(".")[0] in str(caught.value)
    assert list_refs(target) == {}
    assert min(victims) not in names_of(target)
    # The next pull goes on from there.
    fetcher.lie = lambda _path, data: data
    pull(target, fetcher, "main")
    assert names_of(target) == names_of(source)
    fsck(target, jobs=1)


@pytest.mark.parametrize("kind", [ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.DIR_META])
def test_what_the_server_lacks(target, source, fetcher, first, kind):
    victim = min(names_of(source, kind))
    os.unlink(Path(source.path, "objects", loose_path(victim, archive=True)))
    with pytest.raises(ObjectNotServed, match="404") as caught:
        pull(target, fetcher, "main")
    assert str(victim) in str(caught.value.hint)
    assert list_refs(target) == {}


def test_what_was_verified_is_not_fetched_again(target, source, fetcher, first):
    """After the link broke: in a repository that keeps what it has."""
    count = 0

    def breaks(path, data):
        nonlocal count
        count += path.endswith(".filez")
        return FetchError("the link broke") if count > 2 else data

    fetcher.lie = breaks
    with pytest.raises(FetchError, match="the link broke"):
        pull(target, fetcher, "main", jobs=1)
    asked = {path for path in fetcher.asked if path.endswith((".dirtree", ".dirmeta"))}
    fetcher.asked.clear()
    fetcher.lie = lambda _path, data: data
    pull(target, fetcher, "main")
    assert not asked & set(fetcher.asked)
    fsck(target, jobs=1)


def test_a_commit_that_nobody_vouches_for(target, fetcher, first):
    with pytest.raises(NotTrusted):
        pull(target, fetcher, "main", judge=Distrusting())
    assert names_of(target) == set()
    assert not is_partial(target, first)


def test_signatures_are_seen_and_kept(target, source, fetcher, first):
    for word in ("one", "two"):
        metadata = VarDict.of({"signature": Variant("s", word)})
        write_detached(source, first, metadata)
        judge = Trusting()
        pull(target, fetcher, "main", judge=judge)
        assert [(checksum, detached) for checksum, _, detached in judge.seen] == [(first, metadata)]
        assert read_detached(target, first) == metadata
    # Damaged ones vouch for nothing, and do not take the place of good ones.
    fetcher.lie = lambda path, data: b"\xff" if path.endswith(".commitmeta") else data
    pull(target, fetcher, "main", judge=judge)
    assert judge.seen[-1][2] == metadata
    assert read_detached(target, first) == metadata


@pytest.mark.parametrize("depth", [0, 1, 2, -1])
def test_depth(archive, source, fetcher, tmp_path, depth):
    line = []
    for number in range(4):
        parent = line[-1] if line else None
        line.append(commit_files(source, tmp_path, {"f": str(number)}, parent=parent))
    os.unlink(
        Path(
            source.path, "objects", loose_path(ObjectName(line[0], ObjectType.COMMIT), archive=True)
        )
    )
    pull(archive, fetcher, "main", depth=depth)
    found = {name.checksum for name in names_of(archive, ObjectType.COMMIT)}
    # History that was cut off ends there, without an error.
    assert found == set(line[1:][-(depth + 1) :] if depth >= 0 else line[1:])
    fsck(archive, jobs=1)


def test_commits_only(archive, fetcher, first):
    pull(archive, fetcher, "main", commits_only=True)
    assert names_of(archive) == {ObjectName(first, ObjectType.COMMIT)}
    assert is_partial(archive, first)
    pull(archive, fetcher, "main")
    assert not is_partial(archive, first)
    fsck(archive, jobs=1)


def test_subpaths(archive, fetcher, first):
    pull(archive, fetcher, "main", subpaths=("/usr/bin",))
    assert is_partial(archive, first)
    root = load_dirtree(archive, commit_root(archive, first).tree)
    present = {
        name
        for name, tree, _ in root.dirs
        if has_object(archive, ObjectName(tree, ObjectType.DIR_TREE))
    }
    assert present == {"usr"}
    assert len(names_of(archive, ObjectType.FILE)) == 1
    pull(archive, fetcher, "main")
    assert not is_partial(archive, first)
    fsck(archive, jobs=1)


@pytest.mark.parametrize("verify", [True, False])
def test_bindings(archive, source, fetcher, first, verify):
    add_remote(archive, collection_id="org.example.Elsewhere")
    if verify:
        with pytest.raises(BindingMismatch):
            pull(archive, fetcher, "main")
        assert names_of(archive) == set()
    else:
        pull(archive, fetcher, "main", verify_bindings=False)


@pytest.mark.parametrize("by_rev", [True, False])
def test_an_older_commit(archive, source, fetcher, tmp_path, by_rev):
    old = commit_files(source, tmp_path, {"f": "old"}, timestamp=1)
    new = commit_files(source, tmp_path, {"f": "new"}, timestamp=2)
    pull(archive, fetcher, "main")
    options = {"timestamp_check_from": new} if by_rev else {"timestamp_check": True}
    pull(archive, fetcher, "main", **options)
    with pytest.raises(OlderCommit, match="chronologically older"):
        pull(archive, fetcher, RefRequest("main", old), **options)
    assert list_refs(archive) == {"origin:main": new}
    pull(archive, fetcher, RefRequest("main", old))
    assert list_refs(archive) == {"origin:main": old}


def test_an_older_commit_by_its_checksum(archive, source, fetcher, tmp_path):
    old = commit_files(source, tmp_path, {"f": "old"}, timestamp=1)
    new = commit_files(source, tmp_path, {"f": "new"}, timestamp=2)
    pull(archive, fetcher, "main")
    with pytest.raises(OlderCommit, match="timestamp 'Thu Jan  1 00:00:01 1970'"):
        pull(archive, fetcher, old, timestamp_check_from="origin:main")
    assert not has_object(archive, ObjectName(old, ObjectType.COMMIT))
    pull(archive, fetcher, new, timestamp_check_from="origin:main")
    with pytest.raises(RemoteRefusal, match=f"{old} is asked for without one"):
        pull(archive, fetcher, old, timestamp_check=True)


def test_the_ref_that_is_replaced_counts(archive, source, fetcher, tmp_path):
    """Though a ref of our own has the same name, and is older."""
    old = commit_files(source, tmp_path, {"f": "old"}, timestamp=1)
    pull(archive, fetcher, "main", mirror=True)
    new = commit_files(source, tmp_path, {"f": "new"}, timestamp=2)
    pull(archive, fetcher, "main")
    assert list_refs(archive) == {"main": old, "origin:main": new}
    with pytest.raises(OlderCommit, match=f"^While fetching {BASE}/objects/.*{new}"):
        pull(archive, fetcher, RefRequest("main", old), timestamp_check=True)
    owned = CollectionRef("org.example.Os", "main")
    mirrored = RefRequest("main", old, owned.collection_id)
    write_collection_ref(archive, owned, new)
    with pytest.raises(OlderCommit):
        pull(archive, fetcher, mirrored, timestamp_check=True, mirror=True)


def test_a_local_cache_is_asked_first(archive, source, fetcher, first, tmp_path):
    with make_repo(tmp_path / "cache", RepoMode.BARE_USER_ONLY) as cache:
        fetcher.lie = lambda _path, data: data
        pull(cache, FolderFetcher(source.path), "main")
        victim = next(iter(names_of(cache, ObjectType.FILE)))
        result = pull(archive, fetcher, "main", caches=(cache,))
        assert victim in names_of(archive)
    assert result.content_fetched == 0
    assert result.content_imported == len(names_of(source, ObjectType.FILE))
    fsck(archive, jobs=1)


def test_a_summary_is_believed_before_ref_files(archive, source, fetcher, first, tmp_path):
    regenerate_summary(source)
    commit_files(source, tmp_path, {"f": "later"})
    pull(archive, fetcher, "main")
    assert list_refs(archive) == {"origin:main": first}
    with pytest.raises(RemoteRefusal, match="No such branch 'nosuch' in repository summary"):
        pull(archive, fetcher, "nosuch")
    with pytest.raises(NotTrusted):
        pull(archive, fetcher, "main", judge=Distrusting())
    os.unlink(Path(source.path, "summary"))
    with pytest.raises(RemoteRefusal, match="HTTP 404"):
        pull(archive, fetcher, "nosuch")


def test_a_ref_that_is_no_checksum(archive, fetcher, first):
    fetcher.lie = lambda path, data: b"lots of\nhtml\n" if path.startswith("refs/") else data
    with pytest.raises(RemoteRefusal, match="Invalid rev lots of html"):
        pull(archive, fetcher, "main")


@pytest.mark.parametrize(
    ("key", "words"),
    [("unconfigured_state", "ONE"), ("custom_backend", "uses custom backend 'ONE'")],
)
def test_remotes_that_cannot_be_pulled_from(archive, key, words):
    add_remote(archive, **{key: "ONE"})
    with pytest.raises(RemoteRefusal, match=words):
        require_pullable(RemoteSettings(archive, "origin"))


def test_nothing_to_pull(archive, fetcher, first):
    with pytest.raises(RemoteRefusal, match="No configured branches"):
        pull(archive, fetcher)
    with pytest.raises(RemoteRefusal, match="does not have a summary"):
        pull(archive, fetcher, mirror=True)
    add_remote(archive, branches="main;")
    assert list(pull(archive, fetcher).refs) == [CollectionRef("", "main")]
