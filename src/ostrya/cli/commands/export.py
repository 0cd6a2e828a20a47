# SPDX-License-Identifier: Apache-2.0
"""``export``: a commit as a tar archive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output_file import naming_output
from ostrya.repo import reader
from ostrya.repo.refs import require_rev
from ostrya.tree import lookup
from ostrya.tree.tar_export import RECORD_BYTES, ExportOptions, export_tree

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "COMMIT"
OPTIONS = (
    flag("no-xattrs", "Leave out extended attributes"),
    text("subpath", "PATH", "Only the directory PATH of the commit"),
    text("prefix", "PATH", "Put PATH before every name, as it is"),
    text("output", "PATH", "Write to PATH instead of the standard output", short="o"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Write the archive."""
    if not arguments.positionals:
        raise context.usage_error("A COMMIT argument is required")
    repo = context.repo
    commit = require_rev(repo, arguments.positionals[0])
    directory = lookup.resolve_directory(
        repo, lookup.commit_root(repo, commit), arguments.text("subpath") or "/"
    )
    options = ExportOptions(
        timestamp=reader.load_commit(repo, commit).timestamp,
        prefix=arguments.text("prefix") or "",
        with_xattrs=not arguments.flag("no-xattrs"),
    )
    output = arguments.text("output")
    if output is None:
        stdout = sys.stdout.buffer
        export_tree(repo, directory, stdout, options._replace(record_bytes=RECORD_BYTES))
    else:
        with naming_output(output), open(output, "wb") as stream:
            export_tree(repo, directory, stream, options)
    return 0
