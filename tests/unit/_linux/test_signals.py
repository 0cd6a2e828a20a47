# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import threading

import pytest

from ostrya._linux.signals import signals_deferred


def test_they_come_when_the_step_is_done():
    done = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), signals_deferred():  # noqa: PT012  # the block itself
            # To this thread: others, which a test runner may have, do not wait.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            done.append("the step")
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["the step"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
