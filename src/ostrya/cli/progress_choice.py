# SPDX-License-Identifier: Apache-2.0
"""``--progress``: how a long operation shows what it is doing.

Always on stderr: stdout carries data. By default bars on a terminal, and nothing elsewhere.
"""

from __future__ import annotations

import sys

from ostrya.cli.errors import UsageError
from ostrya.progress import NULL_PROGRESS, ProgressSink

MODES = ("auto", "plain", "json", "none")


def choose_progress(mode: str, *, no_color: bool) -> ProgressSink:
    """Return the sink for a mode.

    Raises:
        UsageError: There is no such mode.
    """
    if mode not in MODES:
        raise UsageError(f"Unknown kind of progress '{mode}', expected {', '.join(MODES)}")
    if mode == "json":
        from ostrya.cli.progress_jsonl import JsonLinesProgress

        return JsonLinesProgress(sys.stderr)
    if mode == "plain":
        from ostrya.cli.progress_plain import PlainProgress

        return PlainProgress(sys.stderr)
    if mode == "auto" and sys.stderr.isatty():
        from ostrya.cli.progress_tty import TerminalProgress

        return TerminalProgress(no_color=no_color)
    return NULL_PROGRESS
