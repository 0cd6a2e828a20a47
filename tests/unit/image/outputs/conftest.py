# SPDX-License-Identifier: Apache-2.0
"""What a build of the second of two releases left."""

from __future__ import annotations

import pytest

from support.image_artifacts import make_artifacts
from support.image_world import missing


@pytest.fixture
def artifacts(repo, releases, tmp_path):
    if reason := missing("mke2fs", "debugfs"):
        pytest.skip(reason)
    return make_artifacts(repo, [releases[1].checksum], tmp_path / "build")


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
