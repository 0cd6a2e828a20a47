# SPDX-License-Identifier: Apache-2.0
"""Files that say that something is done, and need not be done at the next start."""

from __future__ import annotations

import os

from ostrya._linux.atomic import replace_file


def write_stamp(path: str | None) -> None:
    """Write an empty file, with the directory for it; None for none.

    Raises:
        OSError: It cannot be written.
    """
    if path is None:
        return
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, mode=0o755, exist_ok=True)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        replace_file(name, b"", dir_fd=fd)
    finally:
        os.close(fd)
