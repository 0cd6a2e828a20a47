# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_a_recipe_is_made_and_all_is_told(run, tmp_path):
    path = tmp_path / "local.conf"
    path.write_text('MACHINE = "qemuarm64"\nGARAGE_X = "1"\n')
    output = tmp_path / "image.toml"
    outcome = run("image", "import", path, f"--output={output}")
    assert outcome.status == 0
    assert 'MACHINE: board = "qemu-arm64"\n' in outcome.err
    assert 'board = "qemu-arm64"\n' in output.read_text()
    assert "is there already" in run.fails("image", "import", path, f"--output={output}", status=60)
    assert "[source]" in run.ok("image", "import", path, "--output=-").out


def test_what_cannot_be(run, tmp_path):
    assert "FILE must be specified" in run.fails("image", "import", status=2)
    (tmp_path / "x").write_text("")
    assert "no variable of meta-updater's" in run.fails(
        "image", "import", tmp_path / "x", status=60
    )
