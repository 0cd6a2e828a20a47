# SPDX-License-Identifier: Apache-2.0
"""Which repository a verb works on.

The one that is named; else the current directory if it looks like one; else ``OSTREE_REPO``;
else the one of the running system.
"""

from __future__ import annotations

import os

SYSTEM_REPO = "/sysroot/ostree/repo"
REPO_IN_SYSROOT = "ostree/repo"


def default_repo_path(variable: str) -> str | None:
    """Return the absolute path of the repository to use when none is named.

    Args:
        variable: The value of ``OSTREE_REPO``; empty where not set.

    Returns:
        None when there is no repository at the place where the search ended.
    """
    if os.path.isdir("objects") and os.path.isfile("config"):
        return os.path.realpath(".")
    path = os.path.abspath(variable or SYSTEM_REPO)
    return path if os.path.isdir(path) else None
