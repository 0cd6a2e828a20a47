# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.repo.repository import open_repository
from support.deltas import write_delta


def test_indexes(run, sample, schema):
    assert run.ok("static-delta", "indexes", sample.option).out == "(No static deltas indexes)\n"
    with open_repository(str(sample.path)) as repo:
        write_delta(repo, sample.second)
    run.ok("static-delta", "reindex", sample.option)
    assert run.ok("static-delta", "indexes", sample.option).out == f"{sample.second}\n"
    found = run.ok("static-delta", "indexes", "--json", sample.option).json()
    schema(found, "static-delta-indexes")
    assert found == [sample.second]
