# SPDX-License-Identifier: Apache-2.0
"""Pages about root file systems: their example runs, and they leave out no decision."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ostrya.image.recipe_files import load_recipe
from support.commands import OURS
from support.image_world import ROOTFS, write_tar
from support.oci_images import Layout
from support.small_repos import make_repo

TOP = Path(__file__).resolve().parents[2]
HOW_TO = TOP / "docs/how-to/prepare-a-root-file-system.md"
TUTORIAL = TOP / "docs/tutorials/first-image.md"
CONVERSION = TOP / "docs/explanation/conversion.md"


def test_every_decision_is_explained():
    told = set()
    for path in (TOP / "src/ostrya/image").rglob("*.py"):
        told |= set(
            re.findall(r'(?:tell|conflict|Decision)\(\s*"([a-z-]+\.[a-z-]+)"', path.read_text())
        )
    text = CONVERSION.read_text()
    names = set(re.findall(r"`([a-z-]*\.[a-z-]+)`", text))
    explained = set()
    family = ""
    for name in re.findall(r"`([a-z-]*\.[a-z-]+)`", text):
        # The second of a family is written without its name.
        family = name.partition(".")[0] or family
        explained.add(name if not name.startswith(".") else f"{family}{name}")
    assert names
    assert told - explained == set()
    assert len(told) > 20


def test_the_example_of_the_library_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    layout = Layout()
    name = {"org.opencontainers.image.ref.name": "1"}
    image = layout.image(write_tar(tmp_path / "x.tar", ROOTFS).read_bytes(), annotations=name)
    layout.write(tmp_path / "os", image)
    (code,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    with make_repo(tmp_path / "releases") as repo:
        exec(code, {"repo": repo})  # our own page
    assert "var.factory /var/lib" in capsys.readouterr().out


def test_the_recipe_of_the_tutorial_is_one(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    path = tmp_path / "device.toml"
    path.write_text(text)
    recipe = load_recipe(str(path))
    assert (recipe.board, recipe.source.kind, recipe.remotes[0].verify) == (
        "qemu-x86_64",
        "debian",
        "none",
    )
    said = OURS("image", "build", path, "--dry-run", "--no-cache")
    assert said.splitlines()[0].startswith("source ")
    salt = recipe.root.password_hash.split("$")[2]
    argv = ["openssl", "passwd", "-6", "-salt", salt, "secret"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == recipe.root.password_hash
