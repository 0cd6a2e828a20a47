# SPDX-License-Identifier: Apache-2.0
"""``remote refs``: the refs that a remote's summary lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write_json, write_line
from ostrya.errors import RepoError

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (
    flag("revision", "Print the commits beside the names", short="r"),
    text("cache-dir", "PATH", "Keep summaries here instead of in the repository"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each ref."""
    from ostrya.pull.pull import remote_summary

    if not arguments.positionals:
        raise context.usage_error("NAME must be specified")
    name = arguments.positionals[0]
    found = remote_summary(context.repo, name, cache_dir=arguments.text("cache-dir"))
    if found is None:
        raise RepoError(
            "Remote refs not available; server has no summary file",
            hint="on the server: ostrya summary -u",
        )
    refs = sorted(found.summary.refs, key=lambda ref: ref.name.encode())
    if context.json:
        write_json([{"ref": ref.name, "commit": ref.checksum} for ref in refs])
        return 0
    for ref in refs:
        revision = f"\t{ref.checksum}" if arguments.flag("revision") else ""
        write_line(f"{name}:{ref.name}{revision}")
    return 0
