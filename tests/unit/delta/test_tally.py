# SPDX-License-Identifier: Apache-2.0
"""How far parts are: noted in one process, read in another."""

from __future__ import annotations

import os

from ostrya.delta.tally import Tally


def test_both_halves():
    noted = []
    tally = Tally([100, 51], lambda: noted.append(tally.done))
    tally.note_searched(0, 50)
    tally.note_searched(1, 51)
    tally.note_packed(1, 0.5)
    tally.note_packed(1, 1.0)
    tally.note_packed(0, 0.1)
    assert noted == [25, 50, 63, 76, 106]
    assert tally.total == 151


def test_across_processes():
    tally = Tally([100])
    pid = os.fork()
    if pid == 0:
        tally.note_packed(0, 1.0)
        os._exit(0)
    os.waitpid(pid, 0)
    assert tally.done == 100


def test_of_nothing():
    assert Tally([]).done == 0
