# SPDX-License-Identifier: Apache-2.0
"""Commands that see ``/etc`` and ``/var`` of their own: what they write there is gone afterwards."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from support.commands import clean_environment

FOLDERS = ("etc", "var")


class OwnFolders:
    """A machine in a folder: what is changed in ``/etc`` and ``/var`` lies there.

    Attributes:
        top: The folder; commands run in ``top/work``.
        environment: What the environment of commands has besides.
    """

    def __init__(self, top: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("no user namespaces here to be root in")
        self.top = top
        self.environment: dict[str, str] = {}
        self.work = top / "work"
        for name in (*FOLDERS, "work"):
            (top / name).mkdir(parents=True)
            (top / f"{name}.work").mkdir()
        if self.run("true").returncode:
            pytest.skip("this kernel has no overlay file system")

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the shell."""
        lines = ["set -eu"]
        for name in FOLDERS:
            upper = shlex.quote(f"{self.top}/{name}")
            options = f"lowerdir=/{name},upperdir={upper},workdir={upper}.work"
            lines.append(f"mount -t overlay own -o {options} /{name}")
        lines += [f"cd {shlex.quote(str(self.work))}", script]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", "\n".join(lines)],
            env=clean_environment() | self.environment, capture_output=True, text=True,
            check=False, timeout=180,
        )  # fmt: skip

    def ok(self, script: str) -> str:
        """Run a script that has to succeed; return what it prints."""
        done = self.run(script)
        assert done.returncode == 0, f"{script}\n{done.stderr}"
        return done.stdout

    def write(self, path: str, data: str) -> None:
        """Write a file below ``/etc`` or ``/var``."""
        found = self.top / path.lstrip("/")
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(data)
