# SPDX-License-Identifier: Apache-2.0
"""``cat``: contents of files of a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_bytes
from ostrya.repo import reader
from ostrya.repo.refs import require_rev
from ostrya.tree import lookup

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "COMMIT PATH..."
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Write the contents one after the other."""
    if len(arguments.positionals) < 2:
        raise context.usage_error("A COMMIT and at least one PATH argument are required")
    rev, *paths = arguments.positionals
    repo = context.repo
    root = lookup.commit_root(repo, require_rev(repo, rev))
    for path in paths:
        found = lookup.resolve_content(repo, root, path)
        with reader.load_file(repo, found.checksum) as file:
            for chunk in reader.content_chunks(repo, found.checksum, file):
                write_bytes(chunk)
    return 0
