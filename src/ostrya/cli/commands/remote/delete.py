# SPDX-License-Identifier: Apache-2.0
"""``remote delete``: forget a remote; what was pulled from it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import REPO_ONLY, SYSROOT, flag
from ostrya.repo.keyrings import delete_keyring
from ostrya.repo.remotes import delete_remote
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (
    flag("if-exists", "Do nothing if there is no remote of this name"),
    REPO_ONLY,
    SYSROOT,
)


def run(arguments: Arguments, context: Context) -> int:
    """Take the remote out of the repository's settings."""
    if not arguments.positionals:
        raise context.usage_error("NAME must be specified")
    require_writable(context.repo)
    name = arguments.positionals[0]
    delete_remote(context.repo, name, if_exists=arguments.flag("if-exists"))
    delete_keyring(context.repo, name)
    return 0
