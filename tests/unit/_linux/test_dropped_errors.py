# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import sys
import time
import weakref

import pytest

from ostrya._linux.dropped_errors import raising_again


class Asked(BaseException):
    pass


class Thing:
    pass


def raise_inside_a_callback(error):
    def callback(_):
        raise error

    thing = Thing()
    _watch = weakref.ref(thing, callback)
    del thing
    time.sleep(0.1)


def test_what_a_callback_drops_is_raised_after_it(capsys):
    with pytest.raises(Asked), raising_again(Asked):
        raise_inside_a_callback(Asked())
    assert capsys.readouterr() == ("", "")


def test_other_errors_are_reported_as_ever(monkeypatch):
    reports = []
    monkeypatch.setattr("sys.unraisablehook", reports.append)
    with raising_again(Asked):
        raise_inside_a_callback(KeyError("x"))
    assert [report.exc_type for report in reports] == [KeyError]


def test_all_is_as_before():
    before = sys.unraisablehook, sys.excepthook, signal.getsignal(signal.SIGALRM)
    with raising_again(Asked):
        assert sys.unraisablehook is not before[0]
    assert (sys.unraisablehook, sys.excepthook, signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
