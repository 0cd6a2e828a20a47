# SPDX-License-Identifier: Apache-2.0
"""The entry point: from ``argv`` to an exit status.

The name we are called by decides our manners: ``ostree`` is libostree's tool to the letter, any
other name is ours.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ostrya.cli import dispatch
from ostrya.cli.environment import read_environment
from ostrya.cli.errors import UsageError
from ostrya.cli.exit_codes import BROKEN_PIPE, FAILURE, INTERRUPTED, Terminated, exit_status
from ostrya.cli.output import prepare_streams, write_error
from ostrya.errors import OstryaError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit status.

    Args:
        argv: The program's name and its arguments; by default the process's own.
    """
    argv = sys.argv if argv is None else argv
    drop_in = os.path.basename(argv[0]) == "ostree"
    prepare_streams()
    try:
        return _run(argv[1:], drop_in=drop_in)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        write_error("Interrupted")
        return INTERRUPTED
    except Terminated as exc:
        write_error("Terminated")
        return exc.status
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE


def _run(arguments: Sequence[str], *, drop_in: bool) -> int:
    environment = read_environment()
    try:
        if environment.trace:
            # Not at start-up: hardly anybody wants it.
            from ostrya._linux.trace import trace_to

            trace_to(environment.trace)
        status = dispatch.run_command_line(arguments, environment, drop_in=drop_in)
        sys.stdout.flush()
    except OstryaError as exc:
        if isinstance(exc, UsageError) and exc.help_text:
            sys.stderr.write(exc.help_text)
        hint = "" if drop_in else exc.hint
        write_error(exc.message, hint=hint, color=not environment.no_color)
        return exit_status(exc, drop_in=drop_in)
    except (BrokenPipeError, Terminated):
        raise
    except OSError as exc:
        write_error(_describe(exc), color=not environment.no_color)
        return exit_status(exc, drop_in=drop_in)
    except MemoryError:
        hint = "a damaged object may claim to be huge: ostrya fsck finds it" if not drop_in else ""
        write_error("Out of memory: this needs more than the machine gives", hint=hint)
        return FAILURE
    except Exception as exc:  # noqa: BLE001 - the one place where nothing may get past
        if not {"-v", "--verbose"}.isdisjoint(arguments):
            sys.excepthook(type(exc), exc, exc.__traceback__)
        return _report_bug(exc, color=not environment.no_color)
    return status


def _report_bug(exc: Exception, *, color: bool) -> int:
    """Say that this is our mistake, in one sentence as well."""
    hint = "this is a mistake in ostrya; --verbose shows where, please report it"
    write_error(f"internal error: {type(exc).__name__}: {exc}", hint=hint, color=color)
    return FAILURE


def _describe(exc: OSError) -> str:
    """Say what the system refused, in the order that libostree's sentences have."""
    reason = exc.strerror or str(exc) or type(exc).__name__
    # What was done by descriptor has a number for a name, which says nothing to anybody.
    if not isinstance(exc.filename, str | bytes):
        return reason
    return f"{os.fsdecode(exc.filename)}: {reason}"


def _silence_stdout() -> None:
    """Keep the interpreter's last flush from complaining about a reader that has gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
