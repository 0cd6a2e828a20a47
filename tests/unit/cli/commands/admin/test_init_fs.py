# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest


def test_a_root_with_mount_points(run, tmp_path):
    assert run.ok("admin", "init-fs", tmp_path).out == ""
    assert {"boot", "dev", "ostree", "tmp"} < set(os.listdir(tmp_path))


@pytest.mark.parametrize("option", ["--modern", "--epoch=1", "-E 2"])
def test_no_more_than_is_needed(run, tmp_path, option):
    run.ok("admin", "init-fs", *option.split(), tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["boot", "ostree"]


def test_what_is_wrong(run, tmp_path):
    assert run.fails("admin", "init-fs", status=2) == "PATH must be specified"
    assert run.fails("admin", "init-fs", "--epoch=-1", tmp_path) == "Invalid epoch: -1"
    assert os.listdir(tmp_path) == []
