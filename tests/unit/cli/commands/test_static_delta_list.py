# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo.repository import open_repository
from support.deltas import write_delta


@pytest.fixture
def with_delta(sample):
    with open_repository(str(sample.path)) as repo:
        write_delta(repo, sample.second, sample.first)
    return sample


def test_list(run, with_delta, schema):
    name = f"{with_delta.first}-{with_delta.second}"
    assert run.ok("static-delta", "list", with_delta.option).out == f"{name}\n"
    found = run.ok("static-delta", "list", "--json", with_delta.option).json()
    schema(found, "static-delta-list")
    assert found == [{"name": name, "from": with_delta.first, "to": with_delta.second}]


def test_none(run, sample):
    assert run.ok("static-delta", "list", sample.option).out == "(No static deltas)\n"
