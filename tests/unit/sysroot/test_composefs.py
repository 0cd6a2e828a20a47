# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.errors import OstryaError
from ostrya.sysroot import composefs
from ostrya.sysroot.composefs import read_prepare_root_config
from ostrya.tree.composefs import Verity
from support.machines import write

CONFIG = "usr/lib/ostree/prepare-root.conf"


@pytest.fixture
def written(monkeypatch) -> list[Verity]:
    """How images were asked for."""
    found: list[Verity] = []

    def checkout_image(_repo, _checksum, path, *, verity):
        found.append(verity)
        with open(path, "w") as stream:
            stream.write("image")

    monkeypatch.setattr(composefs, "checkout_image", checkout_image)
    return found


@pytest.mark.parametrize(
    ("enabled", "asked"),
    [
        (None, []),
        ("no", []),
        ("yes", [Verity.IF_SEALED]),
        ("maybe", [Verity.IF_SEALED]),
        ("signed", [Verity.ALL]),
        ("verity", [Verity.ALL]),
    ],
)
def test_what_the_tree_asks_for(machine, written, enabled, asked):
    def edit(tree):
        if enabled is not None:
            write(tree / CONFIG, f"[composefs]\nenabled={enabled}\n")

    deployment = machine.deploy(machine.commit("1", edit=edit))
    assert written == asked
    assert (machine.root / deployment.path / ".ostree.cfs").exists() == bool(asked)


def test_what_the_repository_asks_for(machine, written):
    machine.configure("ex-integrity", composefs="true")
    machine.deploy(machine.commit("1"))
    assert written == [Verity.IF_SEALED]


def test_the_administrators_word_comes_first(tmp_path):
    write(tmp_path / CONFIG, "[composefs]\nenabled=yes\n")
    write(tmp_path / "etc/ostree/prepare-root.conf", "[composefs]\nenabled=no\n")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert read_prepare_root_config(fd).get_value("composefs", "enabled") == "no"
        (tmp_path / "etc/ostree/prepare-root.conf").write_text("damaged\n")
        with pytest.raises(OstryaError, match="Parsing prepare-root config: etc/ostree/"):
            read_prepare_root_config(fd)
    finally:
        os.close(fd)
