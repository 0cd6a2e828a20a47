# SPDX-License-Identifier: Apache-2.0
import io
import tarfile

import pytest

from ostrya.errors import OstryaError
from ostrya.image.errors import SourceError
from ostrya.image.intake.layers import LayerStack
from ostrya.image.intake.rules import DEFAULT_LIMITS, Keeping
from ostrya.image.tree import TreeEditor
from ostrya.progress import NULL_PROGRESS
from ostrya.repo.reader import load_dirmeta
from ostrya.tree.archive_import import ArchiveExtent
from ostrya.tree.errors import ArchiveError
from support.archives import COMPRESSORS, member, tar


def directory(name: str, **more):
    return member(name, tarfile.DIRTYPE, **more)


def link(name: str, target: str):
    return member(name, tarfile.SYMTYPE, linkname=target)


def stack(tx, *layers: bytes, limits=DEFAULT_LIMITS) -> TreeEditor:
    pile = LayerStack(tx, Keeping(), limits)
    for at, layer in enumerate(layers, 1):
        pile.add(io.BytesIO(layer), f"layer {at}", NULL_PROGRESS)
    pile.finish()
    return TreeEditor(tx, pile.root)


LOWER = tar(
    directory("d", mode=0o700, uid=7),
    (member("d/a"), b"lower a"),
    (member("d/b"), b"lower b"),
    directory("d/sub"),
    (member("d/sub/x"), b"x"),
    (member("f"), b"file"),
    link("l", "d"),
)


@pytest.mark.parametrize("packer", COMPRESSORS)
def test_what_is_on_top_is_seen(tx, packer):
    tree = stack(tx, LOWER, COMPRESSORS[packer](tar((member("d/a"), b"upper a"))))
    assert tree.read("d/a") == b"upper a"
    assert tree.read("d/b") == b"lower b"
    owner = load_dirmeta(tx.repo, tree.find_dir("d").metadata_checksum)
    assert owner[:3] == (7, 0, 0o040700)


def test_a_directory_that_the_upper_one_describes_is_as_it_says(tx):
    tree = stack(tx, LOWER, tar(directory("d", mode=0o755)))
    assert load_dirmeta(tx.repo, tree.find_dir("d").metadata_checksum)[:3] == (0, 0, 0o040755)
    assert tree.names("d") == ["a", "b", "sub"]


@pytest.mark.parametrize("first", [True, False])
def test_a_whiteout_removes_what_is_below_and_not_beside(tx, first):
    parts = [(member("d/.wh.a"), b""), (member("d/a"), b"new")]
    tree = stack(tx, LOWER, tar(*(parts if first else parts[::-1]), (member(".wh.f"), b"")))
    assert tree.read("d/a") == b"new"
    assert tree.find("f") is None
    assert tree.names("d") == ["a", "b", "sub"]


def test_an_opaque_directory_hides_all_below(tx):
    tree = stack(tx, LOWER, tar((member("d/new"), b"n"), (member("d/.wh..wh..opq"), b"")))
    assert tree.names("d") == ["new"]


def test_layers_that_delete_each_other(tx):
    drop = tar((member(".wh.d"), b""), (member(".wh.f"), b""), (member(".wh.l"), b""))
    tree = stack(tx, LOWER, drop, LOWER, drop, drop)
    assert tree.names("") == []
    assert stack(tx, LOWER, drop, LOWER).names("d") == ["a", "b", "sub"]


def test_what_aufs_left_means_nothing(tx):
    tree = stack(tx, LOWER, tar((member(".wh..wh.plnk"), b""), (member(".wh..wh.aufs"), b"")))
    assert tree.names("") == ["d", "f", "l"]


def test_files_and_directories_take_each_others_place(tx):
    tree = stack(tx, LOWER, tar((member("d"), b"now a file"), directory("f"), (member("f/x"), b"")))
    assert tree.read("d") == b"now a file"
    assert tree.names("f") == ["x"]


def test_a_directory_takes_the_place_of_a_link(tx):
    tree = stack(tx, LOWER, tar(directory("l"), (member("l/n"), b"n")))
    assert tree.names("l") == ["n"]
    assert tree.names("d") == ["a", "b", "sub"]


def test_what_is_put_behind_a_link_is_where_that_leads(tx):
    lower = tar(
        directory("usr/lib"), link("lib", "usr/lib"), link("abs", "/usr"), link("up", "../../usr")
    )
    tree = stack(
        tx, lower, tar((member("lib/a"), b"a"), (member("abs/b"), b"b"), (member("up/c"), b"c"))
    )
    assert tree.link_target("lib") == "usr/lib"
    assert tree.read("usr/lib/a") == b"a"
    assert (tree.read("usr/b"), tree.read("usr/c")) == (b"b", b"c")


@pytest.mark.parametrize("target", ["nowhere", "l", "../l", "f"])
def test_a_link_that_leads_nowhere(tx, target):
    lower = tar(link("l", target), (member("f"), b""))
    with pytest.raises(SourceError, match="layer 2: /l is a file below"):
        stack(tx, lower, tar((member("l/a"), b"a")))


def test_a_whiteout_behind_a_link(tx):
    assert stack(tx, LOWER, tar((member("l/.wh.a"), b""))).names("d") == ["b", "sub"]


def test_a_hard_link_to_a_lower_layer(tx):
    tree = stack(tx, LOWER, tar(member("hard", tarfile.LNKTYPE, linkname="d/a")))
    assert tree.find("hard") == tree.find("d/a")


@pytest.mark.parametrize("name", ["../x", "d/../../x", ".wh.", ".wh...", ".wh..", "d/.wh./x/../.."])
def test_hostile_names(tx, name):
    with pytest.raises(OstryaError, match="layer 2"):
        stack(tx, LOWER, tar((member(name), b"")))


def test_all_layers_together_are_bounded(tx):
    layer = tar((member("f"), bytes(600)))
    with pytest.raises(ArchiveError, match=r"layer 2: .*more than 400 bytes"):
        stack(tx, layer, layer, limits=ArchiveExtent(1000, 100))
    with pytest.raises(ArchiveError, match=r"layer 3: .*more than 0 entries"):
        stack(tx, layer, layer, layer, limits=ArchiveExtent(1 << 20, 2))


def test_directories_that_nobody_describes_are_as_usual(tx):
    tree = stack(tx, tar((member("a/b/f"), b"")))
    for path in ("", "a", "a/b"):
        meta = load_dirmeta(tx.repo, tree.find_dir(path).metadata_checksum)
        assert meta == (0, 0, 0o040755, ())
