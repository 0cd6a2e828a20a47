# SPDX-License-Identifier: Apache-2.0
"""``static-delta delete``: delete a static delta."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.delta_name import delta_dir, parse_delta_id
from ostrya.repo.delta_files import delete_delta
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "DELTA"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Delete it, with all its parts."""
    if not arguments.positionals:
        raise context.usage_error("DELTA must be specified")
    from ostrya._linux.dirfd import exists

    repo = context.repo
    require_writable(repo)
    text = arguments.positionals[0]
    name = parse_delta_id(text)
    if not exists(delta_dir(name), dir_fd=repo.dir_fd):
        raise RepoError(f"Can't find delta {text}")
    delete_delta(repo, name)
    return 0
