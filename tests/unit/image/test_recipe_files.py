# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe_files import load_recipe
from ostrya.image.sources import take_in
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from support.image_world import ROOTFS, write_tar
from support.small_repos import make_repo


def test_paths_are_relative_to_the_file_that_names_them(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/files").mkdir()
    (tmp_path / "rootfs.tar").write_bytes(b"")
    (tmp_path / "base/base.toml").write_text("[[overlays]]\npath = 'files'\n")
    (tmp_path / "disk.wks").write_text("part /data --size 64 --label data\n")
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        "include = ['base/base.toml']\n[source]\npath = 'rootfs.tar'\n[disk]\nwks = 'disk.wks'\n"
    )
    found = load_recipe(str(recipe))
    assert found.overlays[0].path == str(tmp_path / "base/files")
    assert found.partitions[0].mountpoint == "/data"


def test_files_that_are_not_there_are_all_told(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text("[source]\npath = 'a'\n[[overlays]]\npath = 'b'\n[repository]\npath = 'c'\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(recipe))
    assert caught.value.problems == (
        f"{recipe}:2: source.path: there is no {tmp_path}/a",
        f"{recipe}:4: overlays.path: there is no {tmp_path}/b",
    )


def test_what_is_no_text(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_bytes(b"\xff")
    with pytest.raises(RecipeError, match="is no text in UTF-8"):
        load_recipe(str(recipe))


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    """Wrong keys and values, what is missing, contradictions, and files: nothing waits for another."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        "board = 'qemu-arm65'\n"
        "outputs = ['raw', 'delta-from=os/1']\n"
        "brd = 'x'\n"
        "[source]\n"
        "path = 'a'\n"
        "suite = 'bookworm'\n"
        "[system]\n"
        "hostname = 7\n"
        "[[partitions]]\n"
        "name = 'data'\n"
        "[remotes]\n"
        "[update]\n"
        "automatic = 'check'\n"
        "[disk]\n"
        "wks = 'disk.wks'\n"
    )
    (tmp_path / "disk.wks").write_text("part /d\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(recipe))
    heads = [problem.removeprefix(f"{tmp_path}/") for problem in caught.value.problems]
    assert [head.split(";")[0] for head in heads] == [
        "r.toml:3: nobody knows the key 'brd'",
        "r.toml:8: system.hostname is a number, not text",
        "r.toml:11: remotes is a table, not a list of tables",
        "r.toml:1: there is no board 'qemu-arm65'",
        "r.toml:2: outputs: delta-from=os/1 needs [repository] with the path of where that release is",
        f"r.toml:5: source.path: there is no {tmp_path}/a",
        'r.toml:6: source.suite says nothing of kind = "auto": it is for debian',
        "r.toml:9: partitions.size is missing",
        "disk.wks:1: the partition has no size",
    ]


def test_deltas_lead_from_releases_that_there_are(tmp_path):
    (tmp_path / "rootfs.tar").write_bytes(b"")
    recipe = tmp_path / "r.toml"
    text = (
        "outputs = ['delta-from=REV']\n[source]\npath = 'rootfs.tar'\n[repository]\npath = 'repo'\n"
    )
    recipe.write_text(text.replace("REV", "os/1"))
    with pytest.raises(RecipeError, match=r"r.toml:1: outputs: .*/repo has no release os/1"):
        load_recipe(str(recipe))
    with make_repo(tmp_path / "repo", RepoMode.ARCHIVE) as repo, Transaction(repo) as tx:
        tree = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS))).editor.root
        tx.set_ref(None, "os/1", write_commit(tx, write_tree(tx, tree), timestamp=1))
        tx.commit()
    assert load_recipe(str(recipe)).outputs == ("delta-from=os/1",)
    recipe.write_text(text.replace("REV", "os/2"))
    with pytest.raises(RecipeError, match="has no release os/2"):
        load_recipe(str(recipe))


def test_what_a_partition_file_says_of_the_kernel(tmp_path):
    (tmp_path / "rootfs.tar").write_bytes(b"")
    (tmp_path / "disk.wks").write_text("bootloader --append='quiet splash'\n")
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        "[source]\npath = 'rootfs.tar'\n[disk]\nwks = 'disk.wks'\n[kernel]\narguments = ['debug']\n"
    )
    assert load_recipe(str(recipe)).kernel_arguments == ("quiet", "splash", "debug")
