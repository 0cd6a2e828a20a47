# SPDX-License-Identifier: Apache-2.0
"""What runs first: it loads the rest in a way that Ctrl-C can end without a word."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

# Hundreds of thousands of small values come and go, and few of them in circles.
_GC_THRESHOLDS = (20_000, 20, 20)


def run() -> NoReturn:
    """Run this process's command line, and end the process with its exit status."""
    gc.set_threshold(*_GC_THRESHOLDS)
    status = main()
    if sys.getprofile() is None and sys.gettrace() is None:
        # All is closed and in its place by now: to take the interpreter apart piece by piece
        # would cost as much time as to start it.
        for stream in (sys.stdout, sys.stderr):
            # What cannot be written any more was reported, where it mattered.
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def main() -> int:
    """Run this process's command line and return the exit status."""
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        # Names in commits are UTF-8, whatever the locale takes the bytes on the disk for.
        os.execv(  # noqa: S606  # this very program once more
            sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        )
    # Nothing is begun yet that would have to be cleaned up.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    if before is signal.SIG_IGN:
        # In the background of a shell without job control: it stays that way.
        signal.signal(signal.SIGINT, before)
    from ostrya.cli.main import main as run_command_line

    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)
    return run_command_line()
