# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.image.board import board_text
from support.image_world import missing, recipe_rootfs, write_tar

REASON = missing("mke2fs", "debugfs")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
RECIPE = """
name = "box"
board = "qemu-arm64"
outputs = ["raw", "sha256sums"]
[source]
path = "rootfs.tar"
[system]
hostname = "box"
[profile.debug]
kernel.arguments = ["debug"]
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "recipe").mkdir()
    os.utime(write_tar(tmp_path / "recipe/rootfs.tar", recipe_rootfs()), (1700000000, 1700000000))
    path = tmp_path / "recipe/box.toml"
    path.write_text(RECIPE)
    return path


def test_an_image_is_built_of_a_recipe(run, recipe, tmp_path, schema):
    words = ("image", "build", str(recipe), f"--cache={tmp_path}/cache")
    planned = run.ok(*words, "--dry-run", "--json").json()
    schema(planned, "image-build")
    assert [step["cached"] for step in planned["steps"]][:3] == [False, False, None]
    said = run.ok(*words, f"--output-dir={tmp_path}/out").out
    assert "  host name box\n" in said
    assert f"wrote {tmp_path}/out/box-qemu-arm64.img\n" in said
    assert f"{tmp_path}/cache" not in said
    assert sorted(os.listdir(tmp_path / "out")) == ["SHA256SUMS", "box-qemu-arm64.img"]
    built = run.ok(*words, f"--output-dir={tmp_path}/out", "--json").json()
    schema(built, "image-build")
    assert "ramdisk" in built["reused"]
    assert [one["kind"] for one in built["outputs"]] == ["raw", "sha256sums"]
    assert "(cached)" in run.ok(*words, "--dry-run").out


def test_without_a_cache_nothing_else_is_left(run, recipe, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/cache")
    run.ok("image", "build", str(recipe), "--no-cache", f"--output-dir={tmp_path}/out")
    assert sorted(os.listdir(tmp_path / "out")) == ["SHA256SUMS", "box-qemu-arm64.img"]
    assert sorted(os.listdir(tmp_path)) == ["out", "recipe"]
    run.ok("image", "build", str(recipe), f"--output-dir={tmp_path}/out")
    assert os.listdir(tmp_path / "cache/ostrya") == ["images"]


def test_profiles_and_boards(run, recipe, tmp_path):
    words = ("image", "build", str(recipe), "--no-cache", f"--output-dir={tmp_path}/out")
    first = run.ok(*words, "--json").json()
    second = run.ok(*words, "--json", "--profile=debug").json()
    assert first["commit"] == second["commit"]
    assert first["outputs"][0]["sha256"] != second["outputs"][0]["sha256"]


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--board=x",), 60, "there is no board 'x'"),
        (("--profile=x",), 60, "there is no profile 'x'"),
        (("--rootfs=x",), 2, "--rootfs: a recipe says that itself"),
        (("--karg=x",), 2, "a recipe says that itself"),
        (("other",), 2, "only one RECIPE"),
    ],
)
def test_what_cannot_be_leaves_nothing(run, recipe, tmp_path, options, status, words):
    given = (str(recipe), "--no-cache", f"--output-dir={tmp_path}/out", *options)
    assert words in run.fails("image", "build", *given, status=status)
    assert os.listdir(tmp_path) == ["recipe"]


def test_all_that_is_wrong_is_told(run, recipe, tmp_path):
    recipe.write_text(
        RECIPE.replace('name = "box"', 'names = "box"').replace("[source]", "size = 5\n[source]")
    )
    said = run("image", "build", str(recipe), "--no-cache").err
    assert f"{recipe}:2: nobody knows the key 'names'" in said
    assert f"{recipe}:5: size is a number, not text" in said


def test_a_recipe_without_a_board(run, recipe):
    recipe.write_text(RECIPE.replace('board = "qemu-arm64"', ""))
    assert "names no board" in run.fails("image", "build", str(recipe), "--no-cache", status=60)


def test_a_board_of_our_own_is_found_beside_the_recipe(run, recipe, tmp_path):
    text = board_text("qemu-arm64").replace('name = "qemu-arm64"', 'name = "ours"')
    (recipe.parent / "ours.toml").write_text(text)
    recipe.write_text(RECIPE.replace("qemu-arm64", "./ours.toml"))
    run.ok("image", "build", str(recipe), "--no-cache", f"--output-dir={tmp_path}/out")
    assert "box-ours.img" in os.listdir(tmp_path / "out")
