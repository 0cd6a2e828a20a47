# SPDX-License-Identifier: Apache-2.0
"""The two commands that tests run side by side: ours, and Debian's as the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PEER_PATH = Path("/usr/bin/ostree")
OURS_PATH = Path(sys.executable).parent / "ostrya"
TIMEOUT_S = 240


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change the manners of either command."""
    drop = ("OSTREE_", "OSTRYA_", "PYTHON", "COLUMNS", "LINES")
    env = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
    env["LC_ALL"] = "C.UTF-8"
    env["TZ"] = "UTC"
    return env


@dataclass(frozen=True, slots=True)
class Command:
    """A command line tool, with the options every call gets."""

    path: Path
    name: str
    prefix: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    def argv(self, *args: object) -> list[str]:
        """The whole command line."""
        return [
            str(self.path),
            *self.prefix,
            *(os.fspath(a) if isinstance(a, os.PathLike) else str(a) for a in args),
        ]

    def run(
        self, *args: object, cwd: Path | None = None, input: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end, whatever the status, but for a mistake in the tool itself."""
        done = subprocess.run(
            self.argv(*args), cwd=cwd, input=input, stdin=None if input is not None else subprocess.DEVNULL,
            capture_output=True, check=False, env=clean_environment() | self.env, timeout=TIMEOUT_S,
        )  # fmt: skip
        for word in (b"Traceback", b"internal error"):
            assert word not in done.stderr, f"{' '.join(self.argv(*args))}: {done.stderr.decode()}"
        return done

    def __call__(self, *args: object, cwd: Path | None = None, input: bytes | None = None) -> str:
        """Run, demand success, return stdout without its last newline."""
        done = self.run(*args, cwd=cwd, input=input)
        if done.returncode != 0:
            line = " ".join(self.argv(*args))
            raise AssertionError(
                f"status {done.returncode} from: {line}\n{done.stderr.decode(errors='replace')[-4000:]}"
            )
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def fails(self, *args: object, cwd: Path | None = None) -> str:
        """Run, demand failure with a sentence, return stderr."""
        done = self.run(*args, cwd=cwd)
        stderr = done.stderr.decode(errors="replace")
        line = " ".join(self.argv(*args))
        assert done.returncode > 0, f"status {done.returncode} from: {line}\n{stderr}"
        assert stderr.strip(), f"nothing on stderr from: {line}"
        return stderr


OURS = Command(OURS_PATH, "ours")
PEER = Command(PEER_PATH, "peer")


def have(program: str) -> bool:
    """Whether a program is on PATH."""
    return shutil.which(program) is not None
