# SPDX-License-Identifier: Apache-2.0
"""``log``: a commit and its ancestors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli import dump
from ostrya.cli.options import flag
from ostrya.cli.output import write, write_json, write_line
from ostrya.formats.commit import Commit
from ostrya.formats.object_name import ObjectType
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import load_commit_bytes
from ostrya.repo.refs import require_rev

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

PARAMETERS = "REV"
OPTIONS = (flag("raw", "Print the commits in GVariant's text form"),)


def run(arguments: Arguments, context: Context) -> int:
    """Print commits from the newest to the oldest that is here."""
    if not arguments.positionals:
        raise context.usage_error("A rev argument is required")
    newest = require_rev(context.repo, arguments.positionals[0])
    history = _history(context.repo, newest)
    if context.json:
        decoded = ((checksum, data and Commit.decode(data)) for checksum, data in history)
        write_json([dump.commit_as_json(sum_, commit) for sum_, commit in decoded if commit])
        return 0
    for checksum, data in history:
        if not data:
            write_line("<< History beyond this commit not fetched >>")
            break
        write_line(f"commit {checksum}")
        if arguments.flag("raw"):
            write_line(dump.dump_object(ObjectType.COMMIT, data, "big"))
        else:
            write(dump.format_commit(Commit.decode(data)))
    return 0


def _history(repo: Repository, newest: Checksum) -> Iterator[tuple[Checksum, bytes]]:
    """Yield commits with their bytes; an ancestor that is not here ends it, without bytes."""
    data = load_commit_bytes(repo, newest)
    yield newest, data
    parent = Commit.decode(data).parent
    while parent is not None:
        try:
            data = load_commit_bytes(repo, parent)
        except ObjectNotFound:
            yield parent, b""
            return
        yield parent, data
        parent = Commit.decode(data).parent
