# SPDX-License-Identifier: Apache-2.0
"""A tree with a shell that runs: the machine's, and the libraries that it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_DIRS = (
    "usr/bin", "usr/lib64", "usr/lib", "etc", "var", "boot", "dev", "proc", "run", "sys", "sysroot",
    "tmp",
)  # fmt: skip


def put_shell(tree: Path) -> None:
    """Put a shell and what it needs into a tree."""
    for name in _DIRS:
        (tree / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "lib", "lib64"):
        if not (tree / name).is_symlink():
            (tree / name).symlink_to(f"usr/{name}")
    shutil.copy(os.path.realpath("/bin/sh"), tree / "usr/bin/sh")
    said = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    for word in said.split():
        if word.startswith("/"):
            target = tree / "usr" / word.removeprefix("/usr").lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(word), target)
