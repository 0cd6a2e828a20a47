# SPDX-License-Identifier: Apache-2.0
"""Pulls with deltas: taken where they lead from here to there, and never beside their objects."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ostrya.delta.errors import PartMismatch
from ostrya.errors import OstryaError
from ostrya.formats.commit import Commit
from ostrya.formats.delta_name import DeltaName, index_path, part_path, superblock_path
from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.delta_superblock import KEY_APPLY_MEMORY, Fallback, Superblock
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.summary import Summary
from ostrya.pull import delta_pull
from ostrya.pull.errors import NoDelta, NotTrusted, RemoteRefusal
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.places import RemotePlaces
from ostrya.pull.remote_pull import RemotePull
from ostrya.repo.errors import LowSpace
from ostrya.repo.free_space import format_size
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import is_partial
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.repo.summary import regenerate_summary
from support.deltas import PartBuilder, builder_of, write_delta
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import commit_tree, make_repo, names_of, plain_tree
from unit.pull.test_remote_pull import Trusting, add_remote


class World:
    """A remote with two commits, and a repository that has the first of them."""

    def __init__(self, tmp_path: Path, source, repo) -> None:
        self.source, self.repo = source, repo
        top = plain_tree(tmp_path / "tree")
        self.old = commit_tree(source, top)
        regenerate_summary(source)
        self.pull("main", use_deltas=False)
        (top / "usr/share/doc/text").write_bytes(b"another\n" * 200)
        (top / "usr/new").write_bytes(b"new\n" * 100)
        self.new = commit_tree(source, top, parent=self.old, timestamp=1_000_000_001)
        self.name = DeltaName(self.new, self.old)

    def pull(self, *refs, judge=None, **options):
        self.fetcher = FolderFetcher(self.source.path)
        if 'remote "origin"' not in self.repo.config.keyfile.to_text():
            add_remote(self.repo)
        return RemotePull(
            self.repo,
            RemoteSettings(self.repo, "origin"),
            places=RemotePlaces((BASE,), (BASE,)),
            fetcher=self.fetcher,
            judge=judge or Trusting(),
            options=PullOptions(**options),
            jobs=2,
        ).run([ref if isinstance(ref, RefRequest) else RefRequest(ref) for ref in refs])

    def serve(self, origin=None, *, summary=True, **options) -> Path:
        folder = write_delta(self.source, self.new, origin, **options)
        if summary:
            regenerate_summary(self.source)
        return folder

    def change(self, folder: Path, *, summary: bool = True, **fields) -> None:
        path = folder / "superblock"
        block = Superblock.decode(path.read_bytes())
        path.write_bytes(block._replace(**fields).encode())
        if summary:
            regenerate_summary(self.source)

    @property
    def objects_asked(self) -> list[str]:
        return [p for p in self.fetcher.asked if p.startswith("objects/") and "commitmeta" not in p]

    @property
    def parts_asked(self) -> list[str]:
        return [p for p in self.fetcher.asked if p.startswith("deltas/") and "superblock" not in p]

    def require_new(self) -> None:
        assert names_of(self.source) <= names_of(self.repo)
        assert not is_partial(self.repo, self.new)


@pytest.fixture
def world(tmp_path):
    with (
        make_repo(tmp_path / "source") as source,
        make_repo(tmp_path / "repo", RepoMode.BARE_USER) as repo,
    ):
        yield World(tmp_path, source, repo)


@pytest.mark.parametrize("inline", [True, False])
def test_from_what_is_here(world, inline):
    world.serve(world.old, inline=inline)
    result = world.pull("main")
    assert result.delta_parts_fetched == 1
    assert world.objects_asked == []
    assert world.parts_asked == ([] if inline else [part_path(world.name, 0)])
    world.require_new()
    assert world.pull("main").delta_parts_fetched == 0
    assert world.parts_asked == []


@pytest.mark.parametrize("request_of", ["ref", "commit", "ref@commit"])
def test_however_it_is_asked_for(world, request_of):
    world.serve(world.old)
    (Path(world.source.path) / "config").write_text("[core]\nindexed-deltas=true\n")
    wanted = {
        "ref": RefRequest("main"),
        "commit": RefRequest(world.new),
        "ref@commit": RefRequest("main", world.new),
    }[request_of]
    assert world.pull(wanted, require_deltas=True).delta_parts_fetched == 1
    assert ("summary" in world.fetcher.asked) == (request_of == "ref")
    world.require_new()


def test_without_indexes_the_summary_is_asked(world):
    world.serve(world.old)
    shutil.rmtree(Path(world.source.path) / "delta-indexes")
    (Path(world.source.path) / "config").unlink()
    assert world.pull(world.new).delta_parts_fetched == 1


def test_where_nothing_is_said_it_is_tried(world):
    world.serve(world.old, summary=False)
    (Path(world.source.path) / "summary").unlink()
    assert world.pull("main").delta_parts_fetched == 1
    assert superblock_path(world.name) in world.fetcher.asked


def test_from_nothing(world, tmp_path):
    world.serve()
    # It was pulled before: objects are less.
    assert world.pull("main").delta_parts_fetched == 0
    assert world.objects_asked
    with make_repo(tmp_path / "fresh", RepoMode.BARE_USER) as world.repo:
        assert world.pull("main").delta_parts_fetched == 1
        assert world.objects_asked == []


@pytest.mark.parametrize(
    "options",
    [{"use_deltas": False}, {"commits_only": True}, {"subpaths": ("/usr",)}],
    ids=["disabled", "commits", "subpath"],
)
def test_where_none_is_used(world, options):
    world.serve(world.old)
    assert world.pull("main", **options).delta_parts_fetched == 0
    assert not [path for path in world.fetcher.asked if path.startswith("delta")]


def test_archives_use_none(world, tmp_path):
    world.serve()
    with make_repo(tmp_path / "archive") as world.repo:
        assert world.pull("main").delta_parts_fetched == 0
        with pytest.raises(RemoteRefusal, match="Can't use static deltas in an archive repo"):
            world.pull("main", require_deltas=True)


def test_required(world, tmp_path):
    world.serve(world.old)
    with (
        make_repo(tmp_path / "fresh", RepoMode.BARE_USER) as world.repo,
        pytest.raises(NoDelta, match=f"required, but none found for main to {world.old}"),
    ):
        world.pull(RefRequest("main", world.old), require_deltas=True)


def test_required_but_gone(world):
    world.serve(world.old)
    (Path(world.source.path) / superblock_path(world.name)).unlink()
    message = f"required, but none found for {world.old} to {world.new}"
    with pytest.raises(NoDelta, match=message):
        world.pull("main", require_deltas=True)
    assert world.pull("main").delta_parts_fetched == 0
    world.require_new()


def test_required_where_nothing_is_said(world):
    (Path(world.source.path) / "summary").unlink()
    with pytest.raises(NoDelta, match="no summary deltas or delta index found"):
        world.pull("main", require_deltas=True)


def test_required_and_nothing_to_do(world):
    world.serve(world.old)
    world.pull("main")
    world.pull("main", require_deltas=True)
    assert world.fetcher.asked == ["summary.sig", "summary"]


def test_fallbacks_are_fetched_one_by_one(world):
    folder = world.serve(world.old)
    block = Superblock.decode((folder / "superblock").read_bytes())
    metadata = [n for n in block.parts[0].object_names() if n.type != ObjectType.FILE]
    files = [n for n in block.parts[0].object_names() if n.type == ObjectType.FILE]
    # The part makes directories and one file; the other is left to be fetched.
    whole = builder_of(world.source, world.new, world.old)
    part = PartBuilder(*whole.modes)
    part.xattrs, part.data = whole.xattrs, whole.data
    part.add(*(op for op in whole.operations if op.name != files[-1]))
    part.unpacked_size = whole.unpacked_size
    data = part.file()
    (folder / "0").write_bytes(data)
    world.change(folder, parts=(part.header(data),), fallbacks=(Fallback(files[-1], 60, 100),))
    plan = world.pull("main", require_deltas=True, dry_run=True).plan
    assert plan.startswith("Delta update: 0/2 parts, 0 bytes/")
    assert world.pull("main").delta_parts_fetched == 1
    assert len(world.objects_asked) == 1
    assert len(metadata) + len(files) == len(whole.objects)
    world.require_new()


def test_what_is_left_out_is_fetched_as_well(world):
    """A delta that lies about what it needs leaves no hole behind."""
    folder = world.serve(world.old)
    world.change(folder, parts=())
    assert world.pull("main").delta_parts_fetched == 0
    world.require_new()


def test_dry_run(world):
    folder = world.serve(world.old)
    block = Superblock.decode((folder / "superblock").read_bytes())
    before = names_of(world.repo)
    result = world.pull("main", require_deltas=True, dry_run=True)
    size, unpacked_size = map(format_size, (block.size, block.unpacked_size))
    assert result.plan == (
        f"Delta update: 0/1 parts, 0 bytes/{size}, {unpacked_size} total uncompressed"
    )
    assert names_of(world.repo) == before
    assert world.parts_asked == []


def test_it_goes_on_where_it_stopped(world):
    folder = world.serve(world.old)
    data = (folder / "0").read_bytes()
    (folder / "0").write_bytes(data[:-1] + b"?")
    with pytest.raises(PartMismatch):
        world.pull("main")
    (folder / "0").write_bytes(data)
    assert world.pull("main").delta_parts_fetched == 1
    world.require_new()


def refuse(world, error, message, **options):
    before = names_of(world.repo, ObjectType.FILE, ObjectType.DIR_TREE)
    with pytest.raises(error, match=message):
        world.pull("main", **options)
    assert names_of(world.repo, ObjectType.FILE, ObjectType.DIR_TREE) == before


def test_hostile_superblocks(world):
    folder = world.serve(world.old)
    path = folder / "superblock"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"?")
    refuse(world, OstryaError, f"Invalid checksum for static delta {world.old}-{world.new}")
    for fields, message in (
        ({"to": world.old}, f"Invalid static delta {world.name}: it is"),
        ({"origin": None}, f"Invalid static delta {world.name}: it is {world.new}"),
        ({"commit_data": _other_commit(good)}, "Corrupted commit object"),
        (
            {"fallbacks": (Fallback(ObjectName("a" * 64, ObjectType.DIR_TREE), 1, 1),)},
            "Found metadata object as fallback: a{64}.dirtree",
        ),
        ({"parts": _newer(good)}, "Delta part has too new version 9"),
    ):
        path.write_bytes(good)
        world.change(folder, **fields)
        refuse(world, OstryaError, message)
    path.write_bytes(b"nonsense")
    regenerate_summary(world.source)
    refuse(world, OstryaError, "While fetching http.*: Invalid delta superblock")


def _other_commit(data):
    commit = Commit.decode(Superblock.decode(data).commit_data)
    return commit._replace(subject="another").encode()


def _newer(data):
    return tuple(part._replace(version=9) for part in Superblock.decode(data).parts)


def test_too_large_for_the_disk(world):
    folder = world.serve(world.old)
    part = Superblock.decode((folder / "superblock").read_bytes()).parts[0]
    world.change(folder, parts=(part._replace(unpacked_size=1 << 60),))
    refuse(world, LowSpace, "Delta requires 1.2\\sEB free space, but only")


def test_too_large_for_the_memory(world, monkeypatch, caplog):
    folder = world.serve(world.old)
    block = Superblock.decode((folder / "superblock").read_bytes())
    stated = (KEY_APPLY_MEMORY, Variant("t", swap_u64(64_000_000)))
    world.change(folder, metadata=VarDict((*block.metadata, stated)))
    refuse(
        world,
        NoDelta,
        "takes 64.0\\sMB of memory to apply, but only 1.0\\sMB are available",
        require_deltas=True,
        apply_memory=1_000_000,
    )
    monkeypatch.setattr(delta_pull, "available_bytes", lambda: 1000)
    assert world.pull("main").delta_parts_fetched == 0
    [told] = caplog.messages
    assert told.endswith("only 1.0\xa0kB are available; objects are fetched instead")
    assert world.parts_asked == []
    world.require_new()


def test_with_enough_memory(world):
    folder = world.serve(world.old)
    block = Superblock.decode((folder / "superblock").read_bytes())
    stated = (KEY_APPLY_MEMORY, Variant("t", swap_u64(64_000_000)))
    world.change(folder, metadata=VarDict((*block.metadata, stated)))
    assert world.pull("main", apply_memory=64_000_000).delta_parts_fetched == 1


class Careful(Trusting):
    wants_summary = True


def test_a_superblock_that_no_list_vouches_for(world):
    world.serve(world.old, summary=False)
    shutil.rmtree(Path(world.source.path) / "delta-indexes", ignore_errors=True)
    path = Path(world.source.path) / "summary"
    summary = Summary.decode(path.read_bytes())
    entry = summary.refs[0]._replace(checksum=world.new)
    path.write_bytes(Summary((entry,), VarDict()).encode())
    with pytest.raises(NotTrusted, match="no summary signatures found"):
        world.pull("main", judge=Careful())
    assert world.pull("main").delta_parts_fetched == 1


class Distrusting(Trusting):
    def check(self, checksum, data, detached):
        raise NotTrusted("not by me")


def test_the_commit_is_judged_before_any_part(world):
    world.serve(world.old)
    refuse(world, NotTrusted, f"Static delta {world.name}: not by me", judge=Distrusting())
    assert world.parts_asked == []


def test_signed_superblocks_are_read(world):
    folder = world.serve(world.old)
    path = folder / "superblock"
    signatures = VarDict((("ostree.sign.dummy", Variant("aay", (b"key",))),))
    path.write_bytes(SignedDelta(path.read_bytes(), signatures).encode())
    regenerate_summary(world.source)
    assert world.pull("main").delta_parts_fetched == 1


def test_large_superblocks_come_in_files(world):
    world.serve(world.old, inline=True)
    fetcher = FolderFetcher
    try:
        original = fetcher.__init__

        def spooling(self, top):
            original(self, top)
            self.spools = True

        fetcher.__init__ = spooling
        assert world.pull("main").delta_parts_fetched == 1
    finally:
        fetcher.__init__ = original


def test_index_path_is_asked_once(world):
    world.serve(world.old)
    world.pull("main", world.new)
    assert world.fetcher.asked.count(index_path(world.new)) == 1


def test_no_delta_from_what_is_partial(world, tmp_path):
    world.serve(world.old)
    with make_repo(tmp_path / "fresh", RepoMode.BARE_USER) as world.repo:
        world.pull(RefRequest("main", world.old), commits_only=True)
        assert world.pull("main").delta_parts_fetched == 0
