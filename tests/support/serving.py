# SPDX-License-Identifier: Apache-2.0
"""``ostrya serve`` as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.commands import OURS, clean_environment


@dataclass
class Served:
    """A server: where it is, and how it ended once it has."""

    url: str
    process: subprocess.Popen[str]
    stderr: str = ""

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; say its status."""
        self.process.send_signal(number)
        _, self.stderr = self.process.communicate(timeout=30)
        return self.process.returncode


@contextmanager
def serving(repo: Path, *options: object) -> Iterator[Served]:
    """Serve a repository on the loopback address, on a port that is free."""
    argv = OURS.argv("serve", f"--repo={repo}", "--address=127.0.0.1", "--port=0", *options)
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment()
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r" on (https?://\S+)/$", line.rstrip())
        if match is None:
            _, stderr = process.communicate(timeout=30)
            raise AssertionError(f"{line!r}: {stderr}")
        yield Served(match[1], process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
