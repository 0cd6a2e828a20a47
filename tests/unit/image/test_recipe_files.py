# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe_files import load_recipe


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
