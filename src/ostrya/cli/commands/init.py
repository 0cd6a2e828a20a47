# SPDX-License-Identifier: Apache-2.0
"""``init``: make an empty repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.naming import Below
from ostrya.cli.options import text
from ostrya.cli.repo_lookup import make_runtime
from ostrya.repo.modes import parse_mode
from ostrya.repo.repository import create_repository

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (
    text(
        "mode", "MODE", "How content is stored: bare, bare-user, bare-user-only, archive, "
        "bare-split-xattrs (default: bare)",
    ),
    text("collection-id", "COLLECTION-ID", "The collection that the repository's refs belong to"),
)  # fmt: skip


def run(arguments: Arguments, context: Context) -> int:
    """Make the repository; one that is there stays as it is."""
    mode = parse_mode(arguments.text("mode") or "bare")
    collection_id = arguments.text("collection-id")
    runtime = make_runtime(context.environment)
    path = context.repo_path
    with Below(path):
        create_repository(path, mode, collection_id=collection_id, runtime=runtime).close()
    return 0
