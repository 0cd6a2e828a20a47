# SPDX-License-Identifier: Apache-2.0
"""``log``: a commit and its ancestors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli import dump
from ostrya.cli.options import flag
from ostrya.cli.output import write, write_json_list, write_line
from ostrya.errors import IntegrityError
from ostrya.formats.checksum import Checksum, DigestSet
from ostrya.formats.commit import Commit
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import load_commit_bytes
from ostrya.repo.refs import require_rev

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
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
        write_json_list(
            dump.commit_as_json(step.checksum, step.commit)
            for step in history
            if step.commit is not None
        )
        return 0
    for step in history:
        if step.commit is None:
            write_line("<< History beyond this commit not fetched >>")
        elif arguments.flag("raw"):
            raw = dump.dump_object(ObjectType.COMMIT, step.data, "big")
            write_line(f"commit {step.checksum}\n{raw}")
        else:
            with dump.naming(ObjectName(step.checksum, ObjectType.COMMIT)):
                text = dump.format_commit(step.commit)
            write(f"commit {step.checksum}\n{text}")
    return 0


class _Step(NamedTuple):
    """One commit of a history; without a commit when that is not here."""

    checksum: Checksum
    data: bytes = b""
    commit: Commit | None = None


def _history(repo: Repository, newest: Checksum) -> Iterator[_Step]:
    """Yield commits from the newest on; an ancestor that is not here ends it.

    Raises:
        ObjectNotFound: The newest is not here.
        FormatError: One is no commit; the sentence names it.
        IntegrityError: One is its own ancestor.
    """
    seen = DigestSet()
    checksum: Checksum | None = newest
    while checksum is not None:
        if checksum in seen:
            raise IntegrityError(
                f"Commit {checksum} is its own ancestor",
                hint="a checksum cannot be known before its commit, so one of them is damaged; "
                "ostrya fsck tells which",
            )
        try:
            data = load_commit_bytes(repo, checksum)
        except ObjectNotFound:
            if checksum == newest:
                raise
            yield _Step(checksum)
            return
        with dump.naming(ObjectName(checksum, ObjectType.COMMIT)):
            commit = Commit.decode(data)
        yield _Step(checksum, data, commit)
        seen.add(checksum)
        checksum = commit.parent
