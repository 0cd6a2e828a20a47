# SPDX-License-Identifier: Apache-2.0
"""What runs first: it loads the rest in a way that Ctrl-C can end without a word."""

from __future__ import annotations

import os
import signal
import sys


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
    from ostrya.cli.main import main as run

    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)
    return run()
