# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.repo.repository import open_repository
from support.deltas import write_delta


def test_delete(run, sample):
    with open_repository(str(sample.path)) as repo:
        folder = write_delta(repo, sample.second)
    run.ok("static-delta", "delete", sample.option, sample.second)
    assert not folder.exists()
    message = run.fails("static-delta", "delete", sample.option, sample.second)
    assert message == f"Can't find delta {sample.second}"


def test_no_name(run, sample):
    assert run.fails("static-delta", "delete", sample.option) == "DELTA must be specified"
    assert "Invalid rev" in run.fails("static-delta", "delete", sample.option, "main")
