# SPDX-License-Identifier: Apache-2.0
"""An image of two releases, and the repository that they are in."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ostrya.image.release import ReleaseOptions, commit_release
from support.image_artifacts import make_artifacts
from support.image_world import ROOTFS, Member, missing, write_tar
from support.small_repos import make_repo


class Images(NamedTuple):
    """Two images, and where their releases are."""

    old: str
    new: str
    repo: str
    commits: tuple[str, str]


DPKG = "Package: bash\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\n"


@pytest.fixture
def images(tmp_path):
    if reason := missing("mke2fs", "debugfs"):
        pytest.skip(reason)
    commits, disks = [], []
    with make_repo(tmp_path / "releases") as repo:
        for number in (1, 2):
            members = {
                **ROOTFS,
                "usr/bin/tool": Member(b"#!/bin/sh\n" * number, 0o755),
                "var/lib/dpkg/status": Member((DPKG % number).encode()),
            }
            rootfs = write_tar(tmp_path / f"{number}.tar", members)
            options = ReleaseOptions("os/stable", 1700000000 + number, str(number))
            commits.append(commit_release(repo, str(rootfs), options).checksum)
            made = make_artifacts(repo, [commits[-1]], tmp_path / f"build-{number}")
            disks.append(made.disk)
    return Images(*disks, str(tmp_path / "releases"), tuple(commits))
