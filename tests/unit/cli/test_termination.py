# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal

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
