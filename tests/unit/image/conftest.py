# SPDX-License-Identifier: Apache-2.0
"""Releases made of a small root file system."""

from __future__ import annotations

import pytest

from ostrya.image.release import ReleaseOptions, commit_release
from support.image_world import ROOTFS, Member, write_tar

REF = "os/stable"


@pytest.fixture
def rootfs(tmp_path):
    """The archive of the first release."""
    return str(write_tar(tmp_path / "one.tar", ROOTFS))


@pytest.fixture
def releases(repo, rootfs, tmp_path):
    """Two releases, the older one first."""
    changed = {
        **ROOTFS,
        "usr/bin/tool": Member(b"#!/bin/sh\n# 2\n", 0o755),
        "etc/new": Member(b"new\n"),
    }
    other = str(write_tar(tmp_path / "two.tar", changed))
    return [
        commit_release(repo, path, ReleaseOptions(REF, 1700000000 + number, str(number + 1)))
        for number, path in enumerate((rootfs, other))
    ]
