# SPDX-License-Identifier: Apache-2.0
"""Writing the repository's ``config`` file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.naming import names_repo

if TYPE_CHECKING:
    from ostrya.formats.keyfile import KeyFile
    from ostrya.repo.repository import Repository


@names_repo
def write_config(repo: Repository, keyfile: KeyFile) -> None:
    """Replace a repository's configuration at once; what is open goes on with the old one."""
    replace_file(
        "config", keyfile.to_text().encode(), dir_fd=repo.dir_fd, durable=repo.config.fsync
    )
