# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image import cache as cache_module
from ostrya.image.board import load_board
from ostrya.image.cache import Cache
from ostrya.image.recipe.values import SourceWish
from ostrya.image.source_kinds import (
    ArchiveSource,
    CommitSource,
    DebianSource,
    DirectorySource,
    DockerArchiveSource,
    OciSource,
)
from ostrya.image.wished_source import for_board, source_key, wished_source

BOARD = load_board("qemu-arm64")


@pytest.mark.parametrize(
    ("wish", "source"),
    [
        (SourceWish("directory", "d"), DirectorySource("d")),
        (SourceWish("tar", "t"), ArchiveSource("t")),
        (SourceWish("oci", "o", "12"), OciSource("o", "12", "linux/arm64")),
        (
            SourceWish("docker-archive", "o", architecture="linux/amd64"),
            DockerArchiveSource("o", "", "linux/amd64"),
        ),
        (SourceWish("ostree", "r", "os/1"), CommitSource("r", "os/1")),
        (
            SourceWish("debian", suite="bookworm", packages=("x",), keyring="k"),
            DebianSource("bookworm", ("x",), "arm64", keyrings=("k",)),
        ),
    ],
)
def test_what_a_recipe_means(wish, source):
    assert wished_source(wish, BOARD) == source


def test_without_a_kind_it_is_looked_at(tmp_path):
    assert wished_source(SourceWish(path=str(tmp_path)), BOARD) == DirectorySource(str(tmp_path))


def test_keys_change_with_what_there_is(tmp_path, monkeypatch, repo, releases):
    cache = Cache(str(tmp_path / "cache"))
    monkeypatch.setattr(cache_module, "_RACY_NS", 0)
    (tmp_path / "top").mkdir()
    source = DirectorySource(str(tmp_path / "top"))
    first = source_key(cache, source)
    assert first
    (tmp_path / "top/file").write_text("x")
    assert source_key(cache, source) not in {first, ""}
    assert source_key(cache, ArchiveSource("/nowhere")) == ""
    debian = DebianSource("bookworm")
    assert source_key(cache, debian) != source_key(cache, debian._replace(packages=("x",)))
    commit = CommitSource(repo.path, "os/stable")
    assert source_key(cache, commit) != source_key(
        cache, commit._replace(rev=str(releases[0].checksum))
    )


def test_a_source_is_for_the_machines_of_the_board():
    assert for_board(OciSource("o"), BOARD) == OciSource("o", platform="linux/arm64")
    assert for_board(DebianSource("sid"), BOARD) == DebianSource("sid", architecture="arm64")
    for said in (
        OciSource("o", "", "arm/v7"),
        DebianSource("sid", (), "armhf"),
        ArchiveSource("t"),
    ):
        assert for_board(said, BOARD) == said
