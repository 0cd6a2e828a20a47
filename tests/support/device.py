# SPDX-License-Identifier: Apache-2.0
"""A device in QEMU: its disk, what it says on its console, and a shell to type into.

::

    with Device(board, disk) as device:
        up = device.start()  # release 1, as usual
        device.sh("ostree admin deploy os/2")
        up = device.restart()  # release 2, on trial
        device.cut()  # the power fails

Releases differ by what ``behaviour`` says: ``good``, ``panic``, ``hang``, ``unhealthy``.
"""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from support.qemu import Guest

START_S = 120
COMMAND_S = 120
# To the end of their lines: what is read may be half of one.
_UP = r"device: release=(\S+) pick=(\S*) behaviour=(\S+)\n"
READY = r"device: (?:ready|unhealthy) release=\S+\n"
_TRACE = r"^ostrya-trace: (\S+)\n"


class Up(NamedTuple):
    """What came up.

    Attributes:
        release: Its number.
        pick: Why the loader started it; empty for a usual start.
    """

    release: str
    pick: str


class Device:
    """A machine with a disk of its own.

    Attributes:
        argv: The emulator's command line.
        disk: The image, which stays when the power fails.
        guest: The running emulator; None while it is off.
    """

    def __init__(self, argv: Sequence[str], disk: Path, log: Path) -> None:
        self.argv = list(argv)
        self.disk = disk
        self.log = log
        self.guest: Guest | None = None
        self._numbers = itertools.count(1)
        self._starts = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.cut()

    @property
    def running(self) -> Guest:
        """The emulator."""
        assert self.guest is not None, "the device is off"
        return self.guest

    def power_on(self) -> None:
        """Switch it on, and wait for nothing."""
        log = self.log.with_name(f"{self.log.stem}-{next(self._starts)}.log")
        self.guest = Guest(self.argv, log=log)

    def start(self, timeout: float = START_S) -> Up:
        """Switch it on, and wait until it has judged itself."""
        self.power_on()
        return self.wait_ready(timeout)

    def wait_up(self, timeout: float = START_S) -> Up:
        """Wait until a release says that it is there; it may not be for long."""
        found = self.running.expect(_UP, timeout)
        return Up(found[1], found[2])

    def wait_ready(self, timeout: float = START_S) -> Up:
        """Wait until a release has judged itself, and takes commands."""
        up = self.wait_up(timeout)
        self.running.expect(READY, timeout)
        return up

    def follow(self, end: str, stop_at: str = "", timeout: float = START_S) -> list[str]:
        """Answer the trace points of what runs until it says something; return the points.

        Args:
            end: A pattern of what is waited for.
            stop_at: A point at which the power fails; that is the last one then.
            timeout: Seconds between two of them.
        """
        points: list[str] = []
        while True:
            found = self.running.expect(f"{_TRACE}|{end}", timeout)
            if found[1] is None:
                return points
            points.append(found[1])
            if found[1] == stop_at:
                self.cut()
                return points
            self.running.send("")

    def sh(self, command: str, *, timeout: float = COMMAND_S, ok: bool = True) -> str:
        """Run a command on the device; return what it said.

        Raises:
            AssertionError: It failed.
        """
        number = next(self._numbers)
        self.running.send(f'{{ {command}\n}} 2>&1; echo "done:{number}:$?"')
        before = len(self.running.transcript)
        found = self.running.expect(rf"^done:{number}:(\d+)\n", timeout)
        said = self.running.transcript[before : found.start()]
        if ok:
            assert found[1] == "0", f"{command}: exit status {found[1]}\n{said}"
        return said.strip()

    def restart(self, timeout: float = START_S) -> Up:
        """Restart it as somebody would, and wait until what comes up has judged itself."""
        self.running.send("sync; reboot -f")
        return self.wait_ready(timeout)

    def cut(self) -> None:
        """Let the power fail."""
        if self.guest is not None:
            self.guest.kill()
            self.guest = None


class Partition(NamedTuple):
    """A partition of an image.

    Attributes:
        start: Its first byte.
        size: How many there are.
    """

    start: int
    size: int


def partitions(disk: Path) -> dict[int, Partition]:
    """Read a GPT."""
    said = subprocess.run(["sgdisk", "-p", disk], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in said.splitlines():
        match = re.match(r"\s+(\d+)\s+(\d+)\s+(\d+)\s", line)
        if match:
            first, last = int(match[2]) * 512, int(match[3]) * 512
            found[int(match[1])] = Partition(first, last + 512 - first)
    return found
