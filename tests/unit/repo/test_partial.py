# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.repo.partial import CommitState, clear_partial, commit_state, is_partial, mark_partial

SUM = "ab" * 32


def test_marked_and_cleared(repo):
    assert commit_state(repo, SUM) == CommitState.NORMAL
    mark_partial(repo, SUM)
    assert commit_state(repo, SUM) == CommitState.PARTIAL
    assert is_partial(repo, SUM)
    clear_partial(repo, SUM)
    clear_partial(repo, SUM)
    assert not is_partial(repo, SUM)


@pytest.mark.parametrize("first", [False, True])
def test_a_mark_that_is_there_stays_as_it_is(repo, first):
    for by_fsck in (first, not first):
        mark_partial(repo, SUM, by_fsck=by_fsck)
    wanted = CommitState.FSCK_PARTIAL if first else CommitState.PARTIAL
    assert commit_state(repo, SUM) == wanted


def test_in_a_repository_without_state(repo):
    os.rmdir(f"{repo.path}/state")
    assert not is_partial(repo, SUM)
    mark_partial(repo, SUM)
    assert os.listdir(f"{repo.path}/state") == [f"{SUM}.commitpartial"]
