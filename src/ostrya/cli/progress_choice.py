# SPDX-License-Identifier: Apache-2.0
"""``--progress``: how a long operation shows what it is doing.

Always on stderr: stdout carries data. By default bars on a terminal, and nothing elsewhere; a verb
that waits for the network writes lines there, once it has taken a while.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ostrya.cli.errors import UsageError
from ostrya.progress import NULL_PROGRESS, ProgressSink

MODES = ("auto", "plain", "json", "none")


# Where nobody has asked for lines, short operations write none.
_QUIET_S = 5.0


def choose_progress(
    mode: str, *, no_color: bool, interval_s: float | None = None, lines_elsewhere: bool = False
) -> ProgressSink:
    """Return the sink for a mode.

    Args:
        mode: One of ``MODES``.
        no_color: Whether a terminal is to stay without colours.
        interval_s: How often it shows something; None for what is fit for the mode.
        lines_elsewhere: Whether ``auto`` writes lines where there is no terminal.

    Raises:
        UsageError: There is no such mode.
    """
    if mode not in MODES:
        raise UsageError(f"Unknown kind of progress '{mode}', expected {', '.join(MODES)}")
    if mode == "json":
        from ostrya.cli.progress_jsonl import JsonLinesProgress

        return JsonLinesProgress(sys.stderr, interval_s=interval_s or 0.0)
    is_terminal = mode == "auto" and sys.stderr.isatty()
    # What draws bars is not on every device.
    has_bars = is_terminal and find_spec("rich") is not None
    lines_elsewhere = lines_elsewhere or is_terminal
    if mode == "plain" or (mode == "auto" and lines_elsewhere and not has_bars):
        from ostrya.cli.progress_plain import INTERVAL_S, PlainProgress

        quiet_s = 0.0 if mode == "plain" else _QUIET_S
        return PlainProgress(sys.stderr, interval_s=interval_s or INTERVAL_S, quiet_s=quiet_s)
    if has_bars:
        from ostrya.cli.progress_tty import REFRESH_S, TerminalProgress

        return TerminalProgress(no_color=no_color, refresh_s=interval_s or REFRESH_S)
    return NULL_PROGRESS
