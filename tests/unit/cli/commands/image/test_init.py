# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

from ostrya.image.recipe_files import load_recipe


def test_a_recipe_to_begin_with(run, tmp_path):
    path = tmp_path / "box.toml"
    (tmp_path / "rootfs.tar").write_bytes(b"")
    said = run.ok("image", "init", "qemu-arm64", f"--output={path}", "--name=box").out
    assert f"ostrya image build {path}" in said
    recipe = load_recipe(str(path))
    assert (recipe.board, recipe.name) == ("qemu-arm64", "box")


def test_what_is_there_stays(run, tmp_path):
    path = tmp_path / "box.toml"
    path.write_text("mine")
    assert "is there already" in run.fails("image", "init", f"--output={path}", status=60)
    assert path.read_text() == "mine"
    run.ok("image", "init", f"--output={path}", "--force")
    assert 'board = "qemu-x86_64"' in path.read_text()


def test_on_standard_output(run, tmp_path):
    assert 'path = "x.tar"' in run.ok("image", "init", "--output=-", "--rootfs=x.tar").out
    assert os.listdir(tmp_path) == []


def test_what_cannot_be(run):
    assert "no board 'x'" in run.fails("image", "init", "x", "--output=-", status=60)
    assert "is no name" in run.fails("image", "init", "--name=a b", "--output=-", status=2)
