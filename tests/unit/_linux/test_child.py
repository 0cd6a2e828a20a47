# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
from errno import EACCES, EINVAL

from ostrya._linux.child import call_in_child


def test_what_it_says_in_the_end():
    def fail(*words: object) -> None:
        raise OSError(*words)

    assert call_in_child(lambda: None) == 0
    assert call_in_child(lambda: fail(EACCES, "no")) == EACCES
    assert call_in_child(lambda: fail("without a number")) == EINVAL
    assert call_in_child(lambda: os.kill(os.getpid(), signal.SIGKILL)) == -1


def test_signals_for_us_do_not_reach_it():
    def survive() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)

    assert call_in_child(survive) == 0


def test_its_directory_is_its_own(tmp_path):
    before = os.getcwd()
    assert call_in_child(lambda: os.chdir(tmp_path)) == 0
    assert os.getcwd() == before
