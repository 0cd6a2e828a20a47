# SPDX-License-Identifier: Apache-2.0
"""A converted tree that is to be changed."""

from __future__ import annotations

import pytest

from ostrya.image.convert import ConvertOptions, convert
from ostrya.image.customize.places import Places
from ostrya.image.sources import take_in
from support.image_world import KVER, recipe_rootfs, write_tar


@pytest.fixture
def tree(tx, tmp_path):
    """Make a tree, with more in it if it is asked for."""

    def make(**more):
        members = {
            **recipe_rootfs(),
            **{name.replace("__", "/"): one for name, one in more.items()},
        }
        path = str(write_tar(tmp_path / "rootfs.tar", members))
        editor = take_in(tx, path).editor
        convert(editor, ConvertOptions((), lambda _editor, _kver: b""))
        return Places(editor, KVER)

    return make


@pytest.fixture
def places(tree):
    return tree()


@pytest.fixture
def said():
    return []
