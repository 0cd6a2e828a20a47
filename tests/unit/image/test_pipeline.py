# SPDX-License-Identifier: Apache-2.0
import os
import shutil

import pytest

from ostrya.errors import IntegrityError
from ostrya.image import cache as cache_module
from ostrya.image.board import load_board
from ostrya.image.cache import Cache
from ostrya.image.errors import ConversionError, LayoutError, SourceError
from ostrya.image.pipeline import Pipeline
from ostrya.image.recipe.located import Where
from ostrya.image.recipe.values import (
    Account,
    ConvertWish,
    FileWish,
    Recipe,
    RepositoryWish,
    SourceWish,
    System,
)
from ostrya.image.tree import TreeEditor
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import require_rev, resolve_rev
from ostrya.repo.repository import open_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import tree_from_commit
from support.image_world import NEWEST, missing, recipe_rootfs, write_tar

REASON = missing("mke2fs", "debugfs")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
BOARD = load_board("qemu-arm64")


@pytest.fixture
def rootfs(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "_RACY_NS", 0)
    path = write_tar(tmp_path / "rootfs.tar", recipe_rootfs())
    return str(path)


def recipe_of(rootfs, text="hello\n", **more):
    files = (FileWish(Where("r", 1), "/etc/motd", text),)
    wanted = Recipe("r", source=SourceWish(path=rootfs), files=files, outputs=("raw",))
    return wanted._replace(**more)


def build(recipe, cache, folder, **options):
    return Pipeline(recipe, BOARD, cache, **options).run(str(folder))


def digests(built):
    return {os.path.basename(one.path): one.sha256 for one in built.outputs}


def test_what_has_not_changed_is_not_made_again(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    first = build(recipe_of(rootfs), cache, tmp_path / "a")
    assert first.reused == ()
    assert list(digests(first)) == ["os-qemu-arm64.img"]
    again = build(recipe_of(rootfs), cache, tmp_path / "b")
    assert again.reused == ("source", "ramdisk")
    assert digests(again) == digests(first)
    assert os.listdir(cache.work) == []


def test_with_a_cache_and_without_one_the_same_bytes_come_out(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    build(recipe_of(rootfs), cache, tmp_path / "a")
    changed = recipe_of(rootfs, "something else\n")
    quick = build(changed, cache, tmp_path / "b")
    assert quick.reused == ("source", "ramdisk")
    slow = build(changed, Cache(str(tmp_path / "other"), keeps=False), tmp_path / "c")
    assert slow.reused == ()
    assert digests(quick) == digests(slow)
    assert (quick.commit, quick.decisions, quick.plan) == (slow.commit, slow.decisions, slow.plan)


def test_a_changed_source_is_taken_in_again(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    first = build(recipe_of(rootfs), cache, tmp_path / "a")
    write_tar(
        tmp_path / "rootfs.tar", {**recipe_rootfs(), "usr/bin/new": recipe_rootfs()["etc/hosts"]}
    )
    second = build(recipe_of(rootfs), cache, tmp_path / "b")
    assert second.reused == ("ramdisk",)
    assert second.commit != first.commit


def test_damage_to_what_is_kept_is_noticed(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    first = build(recipe_of(rootfs), cache, tmp_path / "a")
    kept = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(cache.objects)
        for name in names
        if name.endswith(".file") and not os.path.islink(os.path.join(folder, name))
    ]
    for path in kept[:5]:
        os.truncate(path, 1)
    again = build(recipe_of(rootfs), cache, tmp_path / "b")
    assert digests(again) == digests(first)


def test_damage_to_trees_that_are_kept_is_told_with_what_to_do(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    first = build(recipe_of(rootfs), cache, tmp_path / "a")
    for path in (tmp_path / "cache").glob("repo-*/objects/*/*.filez"):
        os.truncate(path, path.stat().st_size - 2)
    shutil.rmtree(cache.objects)
    shutil.rmtree(tmp_path / "cache/steps")
    cache = Cache(cache.path)
    with pytest.raises(IntegrityError) as caught:
        build(recipe_of(rootfs), cache, tmp_path / "b")
    assert f"if {cache.path} is damaged, delete it" in caught.value.hint
    assert list((tmp_path / "b").glob("*")) == []
    shutil.rmtree(cache.path)
    again = build(recipe_of(rootfs), Cache(cache.path), tmp_path / "c")
    assert digests(again) == digests(first)


def test_the_plan_says_what_is_there_and_does_nothing(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    pipeline = Pipeline(recipe_of(rootfs), BOARD, cache)
    before = {step.name: step.cached for step in pipeline.plan()}
    assert before == {
        "source": False, "customize": False, "ramdisk": None, "commit": None, "disk": False,
        "outputs": False,
    }  # fmt: skip
    pipeline.run(str(tmp_path / "a"))
    after = {step.name: step for step in pipeline.plan()}
    assert after["source"].cached
    assert after["ramdisk"].cached
    assert after["customize"].what == "1 changes"
    wrong = recipe_of(rootfs, system=System(timezone="Mars/North"))
    with pytest.raises(SourceError, match="Mars/North"):
        Pipeline(wrong, BOARD, cache).plan()


def test_releases_follow_one_another_in_a_repository(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    wish = RepositoryWish(str(tmp_path / "releases"))
    first = build(recipe_of(rootfs, repository=wish), cache, tmp_path / "a")
    again = build(recipe_of(rootfs, repository=wish), cache, tmp_path / "a")
    second = build(recipe_of(rootfs, "2\n", repository=wish), cache, tmp_path / "a")
    assert (first.is_new, again.is_new, second.is_new) == (True, False, True)
    assert again.commit == first.commit
    with open_repository(str(tmp_path / "releases")) as repo:
        assert require_rev(repo, "os/stable") == second.commit
        assert require_rev(repo, "os/stable^") == first.commit


def test_a_release_that_fails_is_not_published(rootfs, tmp_path):
    cache, repository = Cache(str(tmp_path / "cache")), RepositoryWish(str(tmp_path / "repo"))
    wanted = recipe_of(rootfs, repository=repository)
    with pytest.raises(LayoutError):
        build(wanted._replace(size_bytes=20 << 20), cache, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    with open_repository(str(tmp_path / "repo")) as repo:
        assert resolve_rev(repo, wanted.ref, allow_noent=True) is None
    built = build(wanted, cache, tmp_path / "a")
    with open_repository(str(tmp_path / "repo")) as repo:
        assert require_rev(repo, wanted.ref) == built.commit


def test_what_fails_leaves_no_output(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    wrong = recipe_of(rootfs, system=System(timezone="Mars/North"))
    with pytest.raises(SourceError, match="Mars/North"):
        build(wrong, cache, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert os.listdir(cache.work) == []


def test_when_it_was_made(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    seen = []
    for recipe, timestamp in (
        (recipe_of(rootfs), None),
        (recipe_of(rootfs), 1600000000),
        (recipe_of(rootfs, timestamp=1500000000), 1600000000),
    ):
        built = build(recipe, cache, tmp_path / "out", timestamp=timestamp)
        with cache.repository(1) as repo:
            seen.append(load_commit(repo, built.commit).timestamp)
    assert seen == [NEWEST, 1600000000, 1500000000]


def test_numbers_of_accounts_stay_from_release_to_release(rootfs, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    wish = RepositoryWish(str(tmp_path / "releases"))
    first = recipe_of(rootfs, repository=wish, users=(Account("a"), Account("b")))
    build(first, cache, tmp_path / "a")
    second = first._replace(users=(Account("b"), Account("a")))
    with pytest.raises(ConversionError, match=r"user (a|b)"):
        build(second, cache, tmp_path / "b")
    kept = build(second._replace(convert=ConvertWish(accounts="keep-old")), cache, tmp_path / "c")
    with open_repository(str(tmp_path / "releases")) as repo, Transaction(repo) as tx:
        editor = TreeEditor(tx, tree_from_commit(repo, kept.commit))
        assert b"\na:x:1000:1000:" in editor.read("usr/etc/passwd")
