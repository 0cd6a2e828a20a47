# SPDX-License-Identifier: Apache-2.0
"""``fsck``: check that the repository is sound.

Every object that a complete commit reaches is read and hashed. Commits that are known to be
incomplete, because they are being pulled for instance, are counted but not verified.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line, write_message
from ostrya.errors import OstryaError
from ostrya.repo.fsck import FsckOptions, NoteKind, fsck
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.progress import ProgressSink

PARAMETERS = ""
OPTIONS = (
    flag("add-tombstones", "Leave tombstones in place of commits whose parent is missing"),
    flag("quiet", "Do not say what is being done", short="q"),
    flag("all", "Report all problems, do not stop at the first", short="a"),
    flag("delete", "Delete damaged objects, and mark their commits as incomplete"),
    flag("verify-bindings", "Check that commits are bound to the refs that point to them"),
    flag("verify-back-refs", "Check that refs that commits are bound to point to them as well"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Verify the repository."""
    options = FsckOptions(
        delete=arguments.flag("delete"),
        keep_going=arguments.flag("all"),
        add_tombstones=arguments.flag("add-tombstones"),
        verify_bindings=arguments.flag("verify-bindings"),
        verify_back_refs=arguments.flag("verify-back-refs"),
    )
    if options.delete or options.add_tombstones:
        require_writable(context.repo)
    quiet = arguments.flag("quiet") or context.json
    problems: list[str] = []

    def note(kind: NoteKind, text: str) -> None:
        if kind is NoteKind.PROBLEM:
            problems.append(text)
            write_message(text)
        elif not context.json and not (quiet and kind is NoteKind.STAGE):
            write_line(text)

    try:
        result = fsck(context.repo, options, on_note=note, progress=_progress(context))
    except OstryaError as exc:
        if context.json:
            write_json({"ok": False, "problems": [*problems, exc.message]})
        raise
    if context.json:
        write_json({"ok": True, **result._asdict(), "problems": problems})
    else:
        write_line(
            f"object fsck of {result.commits} commits completed successfully - no errors found."
        )
    return 0


def _progress(context: Context) -> ProgressSink:
    if context.drop_in and not sys.stdout.isatty():
        from ostrya.cli.progress_console import ConsoleProgress

        return ConsoleProgress(sys.stdout)
    return context.progress()
