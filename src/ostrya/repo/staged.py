# SPDX-License-Identifier: Apache-2.0
"""How a staging directory is laid out.

::

    ab/cdef….file           files and links: moved into ``objects`` a directory at a time
    meta/abcdef….dirtree    what names other objects: moved one by one, after all files
    tmp.0123…               what is being written, where a file system has no unnamed files

libostree takes up what others left in two-letter directories; it does not look into ``meta``.
"""

from __future__ import annotations

META = "meta"
# In which order what names other objects appears; all else comes before.
RANKS = {"dirmeta": 1, "dirtree": 1, "commitmeta": 2, "commit": 3}


def staged_path(path: str) -> str:
    """Return where in a staging directory the object of a loose path is."""
    if path.rpartition(".")[2] in RANKS:
        return f"{META}/{path[:2]}{path[3:]}"
    return path
