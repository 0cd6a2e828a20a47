# SPDX-License-Identifier: Apache-2.0
"""Where ``commit`` takes its message from: options, a file, or an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError, OstryaError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments


class Message(NamedTuple):
    """A commit message."""

    subject: str
    body: str


_HELP = """
# The first line becomes the subject of the commit, the others its body.
# Lines that begin with '#' are left out. Without a subject nothing is committed.
"""


def read_message(arguments: Arguments, editor: str) -> Message:
    """Return the message that the options ask for.

    Args:
        arguments: Those of ``commit``.
        editor: A shell command that takes a path; empty for none.

    Raises:
        OstryaError: There is no editor, it failed, or no subject was written.
        FormatError: A file is not UTF-8.
        OSError: A file cannot be read.
    """
    subject = arguments.text("subject") or ""
    if arguments.flag("editor"):
        return _ask(editor, branch=arguments.text("branch"), subject=subject)
    body_file = arguments.text("body-file")
    if body_file is None:
        return Message(subject, arguments.text("body") or "")
    try:
        with open(body_file, encoding="utf-8", newline="") as stream:
            return Message(subject, stream.read())
    except UnicodeDecodeError as exc:
        raise FormatError(f"{body_file} is not UTF-8 (byte {exc.start})") from exc


def parse_message(text: str) -> Message:
    """Split what was written in an editor into subject and body.

    Raises:
        OstryaError: There is no subject.
    """
    lines = [line.rstrip() for line in text.split("\n") if not line.startswith("#")]
    written = [index for index, line in enumerate(lines) if line]
    if not written:
        raise OstryaError("Aborting commit due to empty commit subject.")
    body_start = written[1] if len(written) > 1 else len(lines)
    return Message(lines[written[0]], "\n".join(lines[body_start:]).rstrip())


def _ask(editor: str, *, branch: str | None, subject: str) -> Message:
    if not editor:
        raise OstryaError("Terminal is dumb, but EDITOR unset")
    template = f"{subject}\n{_HELP}"
    if branch is not None:
        template += f"#\n# Branch: {branch}\n"
    return parse_message(_edit(editor, template))


def _edit(editor: str, template: str) -> str:
    import shlex
    import tempfile

    from ostrya._linux.process import run_interactive

    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".txt") as file:
        file.write(template)
        file.flush()
        status = run_interactive(["/bin/sh", "-c", f"{editor} {shlex.quote(file.name)}"])
        if status != 0:
            raise OstryaError(f"There was a problem with the editor '{editor}'")
        # An editor may have put a new file in the place of ours.
        with open(file.name, encoding="utf-8") as written:
            return written.read()
