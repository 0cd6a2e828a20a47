# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import time
import weakref

import pytest

from ostrya.cli.exit_codes import Terminated
from ostrya.cli.termination import ending_in_order


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_an_exception(number):
    # Under nohup, and in the background of some shells, it is ignored.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Terminated) as caught, ending_in_order():
            signal.raise_signal(number)
        assert caught.value.status == 128 + number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


class Thing:
    pass


def signal_inside_a_callback(number):
    thing = Thing()
    _watch = weakref.ref(thing, lambda _: signal.raise_signal(number))
    del thing
    time.sleep(10)
    pytest.fail("the request was dropped")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_inside_a_callback_that_drops_errors_is_raised_after_it(number, capsys):
    handler = signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler
    before = signal.signal(number, handler)
    try:
        expected = Terminated if number == signal.SIGTERM else KeyboardInterrupt
        with pytest.raises(expected), ending_in_order():
            signal_inside_a_callback(number)
    finally:
        signal.signal(number, before)
    assert capsys.readouterr() == ("", "")
