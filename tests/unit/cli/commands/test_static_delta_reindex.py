# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.repo.repository import open_repository
from support.deltas import write_delta


def test_reindex(run, sample):
    with open_repository(str(sample.path)) as repo:
        write_delta(repo, sample.second)
        write_delta(repo, sample.first)
    run.ok("static-delta", "reindex", sample.option, f"--to={sample.first}")
    assert run.ok("static-delta", "indexes", sample.option).lines == [sample.first]
    run.ok("static-delta", "reindex", sample.option)
    assert len(run.ok("static-delta", "indexes", sample.option).lines) == 2
    assert "Invalid rev" in run.fails("static-delta", "reindex", sample.option, "--to=main")
