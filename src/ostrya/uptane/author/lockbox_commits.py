# SPDX-License-Identifier: Apache-2.0
"""OSTree commits of a lockbox: looked for before anything is signed, and copied to the medium."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository, open_repository
from ostrya.uptane.author.images import list_images
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.custom import is_ostree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.uptane.author.workplace import Workplace


def require_commits(work: Workplace, chosen: Sequence[str], repo_path: str | None) -> None:
    """Refuse images that are commits, where nobody says in which repository.

    Raises:
        AuthoringError: There is one.
    """
    known = list_images(work)
    for name in chosen:
        if name in known and is_ostree(known[name][0]) and repo_path is None:
            raise AuthoringError(
                f"{name} is an OSTree commit", hint="--repo=PATH says which repository it is in"
            )


def copy_commits(repo_path: str, commits: Sequence[str], target: str) -> None:
    """Copy commits to a repository on the medium; it is made if it is not there.

    Raises:
        RepoError: One is not in the repository, or one of the two cannot be opened.
    """
    if not os.path.exists(target):
        create_repository(target, RepoMode.ARCHIVE).close()
    with open_repository(repo_path) as source, open_repository(target) as copy:
        pull_local(copy, source, list(commits), PullLocalOptions())
