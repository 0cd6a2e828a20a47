# SPDX-License-Identifier: Apache-2.0
"""``rev-parse``: the commits that names stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line
from ostrya.errors import OstryaError

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository

PARAMETERS = "REV"
OPTIONS = (flag("single", "Print the only commit of the repository", short="S"),)


def run(arguments: Arguments, context: Context) -> int:
    """Print one checksum for each argument."""
    revs = arguments.positionals
    if arguments.flag("single"):
        if revs:
            raise context.usage_error("Cannot specify arguments with --single")
        checksums = [_only_commit(context.repo)]
    else:
        if not revs:
            raise context.usage_error("REV must be specified")
        from ostrya.repo.refs import require_rev

        checksums = [require_rev(context.repo, rev) for rev in revs]
    if context.json:
        names = revs or ["--single"]
        write_json([{"rev": r, "commit": c} for r, c in zip(names, checksums, strict=True)])
    else:
        for checksum in checksums:
            write_line(checksum)
    return 0


def _only_commit(repo: Repository) -> str:
    from ostrya.repo.reader import iter_commits

    commits = set(iter_commits(repo))
    if len(commits) > 1:
        raise OstryaError("Multiple commit objects found")
    if not commits:
        raise OstryaError("No commit objects found")
    return commits.pop()
