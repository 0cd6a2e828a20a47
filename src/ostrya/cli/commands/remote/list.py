# SPDX-License-Identifier: Apache-2.0
"""``remote list``: the remotes, sorted by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line
from ostrya.errors import RepoError
from ostrya.repo.remotes import list_remotes, remote_url

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository

PARAMETERS = ""
OPTIONS = (flag("show-urls", "Print the addresses beside the names", short="u"),)


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each remote."""
    repo = context.repo
    names = list_remotes(repo)
    if context.json:
        write_json([{"name": name, "url": _url_or_none(repo, name)} for name in names])
    elif arguments.flag("show-urls"):
        width = max((len(name.encode()) for name in names), default=0)
        for name in names:
            write_line(f"{name:<{width}}  {remote_url(repo, name)}")
    else:
        for name in names:
            write_line(name)
    return 0


def _url_or_none(repo: Repository, name: str) -> str | None:
    try:
        return remote_url(repo, name)
    except RepoError:
        # A metalink, or content that OSTree does not fetch.
        return None
