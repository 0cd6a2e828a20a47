# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect

import pytest

from ostrya.pull.push_archive import ArchiveTarget
from ostrya.pull.push_bucket import BucketTarget
from ostrya.pull.push_directory import DirectoryTarget
from ostrya.pull.push_target import PushTarget, SummaryChoice
from ostrya.pull.push_treehub import TreehubTarget

DEEDS = [name for name, _ in inspect.getmembers(PushTarget, inspect.isfunction) if name[0] != "_"]


@pytest.mark.parametrize("kind", [ArchiveTarget, BucketTarget, DirectoryTarget, TreehubTarget])
@pytest.mark.parametrize("deed", DEEDS)
def test_every_target_does_what_a_target_does(kind, deed):
    wanted = inspect.signature(getattr(PushTarget, deed)).parameters
    assert list(inspect.signature(getattr(kind, deed)).parameters) == list(wanted)


def test_a_summary_is_not_written_unless_asked_for():
    assert SummaryChoice() == (False, False, ())
