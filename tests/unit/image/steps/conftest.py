# SPDX-License-Identifier: Apache-2.0
"""A tree to be changed, and a report."""

from __future__ import annotations

import pytest

from ostrya.image.decisions import Report
from ostrya.image.sources import take_in
from ostrya.image.tree import TreeEditor
from ostrya.tree.mutable_tree import MutableTree
from support.image_world import ROOTFS, write_tar


@pytest.fixture
def report() -> Report:
    return Report()


@pytest.fixture
def editor(tx) -> TreeEditor:
    """Nothing yet."""
    return TreeEditor(tx, MutableTree())


@pytest.fixture
def rootfs(tx, tmp_path) -> TreeEditor:
    """A small root file system."""
    return take_in(tx, str(write_tar(tmp_path / "rootfs.tar", ROOTFS))).editor
