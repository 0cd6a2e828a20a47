# SPDX-License-Identifier: Apache-2.0
"""Where objects lie in a staging directory, and which of them are whole.

::

    ab.files/cdef….file    files and links: moved into ``objects`` a directory at a time
    meta/abcdef….dirtree   what names other objects: moved one by one, after all files

Files grow under their own names, so one that a killed process was writing is not whole. libostree
takes up what others left in two-letter directories; it does not look into these.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.repo.modes import RepoMode

if TYPE_CHECKING:
    import os

FILES = ".files"
META = "meta"
# In which order what names other objects appears; all else comes before.
RANKS = {"dirmeta": 1, "dirtree": 1, "commitmeta": 2, "commit": 3}
# Of a finished object in an archive; one that is not finished has another.
ARCHIVED_MODE = 0o644


def staged_path(path: str) -> str:
    """Return where in a staging directory the object of a loose path is."""
    if path.rpartition(".")[2] in RANKS:
        return f"{META}/{path[:2]}{path[3:]}"
    return f"{path[:2]}{FILES}{path[2:]}"


def is_whole(found: os.stat_result, folder: str, mode: RepoMode) -> bool:
    """Say whether an object was finished: it shows in what every store gives it last.

    One of several links is not, since somebody else may have changed it.

    Args:
        found: Its file.
        folder: Its directory in the staging directory.
        mode: The repository's.
    """
    if found.st_nlink > 1:
        return False
    if not folder.endswith(FILES) or stat.S_ISLNK(found.st_mode):
        return True
    if mode == RepoMode.ARCHIVE:
        return stat.S_IMODE(found.st_mode) == ARCHIVED_MODE
    return found.st_mtime_ns == 0
