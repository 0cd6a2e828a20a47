# SPDX-License-Identifier: Apache-2.0
"""A device in QEMU that Debian's systemd starts, with U-Boot; root is at its serial line.

::

    with SystemdDevice(argv, disk, log) as device:
        start = device.power_on_and_log_in()
        device.sh("ostree admin deploy os/2")
        device.shut_down_for_restart()
        start = device.log_in()
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, Self

from support.qemu import Guest

# Machines that run tests side by side are slow: nothing here measures anything.
LOADER_S = 400
LOGIN_S = 420
COMMAND_S = 300
_SHELL = (
    "stty -echo -onlcr; exec env -i PATH=$PATH HOME=/root TERM=dumb SYSTEMD_COLORS=0"
    " SYSTEMD_PAGER= PS1= PS2= sh"
)
# Whole lines: the end of one may be on its way.
_COMMAND_LINE = r'^Kernel command line: "(.*)"\n'
_ROOT = r"^ostrya: starting \S+ of /sysroot/ostree/deploy/[^/]+/deploy/([0-9a-f]{64})\.\d+\n"
_PROMPT = r"device login: root \(automatic login\)(?s:.)*?^root@device:.*# "
_PANIC = r"Kernel panic - not syncing: (.*)\n"


class Start(NamedTuple):
    """A start of the device.

    Attributes:
        commit: What was started.
        pick: Why the loader started it; empty for a usual start.
        kargs: The kernel's command line.
    """

    commit: str
    pick: str
    kargs: tuple[str, ...]


class SystemdDevice:
    """A machine with a disk of its own.

    Attributes:
        argv: The emulator's command line.
        log: What it says on its serial line goes here too.
        guest: The running emulator; None while it is off.
        tells_kargs: Whether its loader shows the kernel's command line.
    """

    def __init__(self, argv: list[str], log: Path, *, tells_kargs: bool = True) -> None:
        self.argv = argv
        self.tells_kargs = tells_kargs
        self.log = log
        self.guest: Guest | None = None
        self._number = 0

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
        self.guest = Guest(self.argv, log=self.log)

    def cut(self) -> None:
        """Let the power fail."""
        if self.guest is not None:
            self.guest.kill()
            self.guest = None

    def wait_start(self, timeout: float = LOADER_S) -> Start:
        """Wait until the ramdisk starts a deployment."""
        if not self.tells_kargs:
            return Start(self.running.expect(_ROOT, timeout)[1], "", ())
        kargs = tuple(self.running.expect(_COMMAND_LINE, timeout)[1].split())
        commit = self.running.expect(_ROOT, timeout)[1]
        picks = [word.removeprefix("ostrya.pick=") for word in kargs if "ostrya.pick=" in word]
        return Start(commit, picks[-1] if picks else "", kargs)

    def wait_panic(self, timeout: float = LOADER_S) -> str:
        """Wait until its kernel gives up; return why."""
        return self.running.expect(_PANIC, timeout)[1].strip()

    def log_in(self, timeout: float = LOGIN_S) -> None:
        """Wait until it takes commands; services may still be on their way up."""
        self.running.expect(_PROMPT, timeout)
        self.running.send(_SHELL)
        # What systemd says of its work would be between commands and what they say: it stops at
        # SIGRTMIN+21, which this shell knows by its number.
        self.sh("kill -55 1")

    def start(self) -> Start:
        """Wait until it has been started and takes commands."""
        found = self.wait_start()
        self.log_in()
        return found

    def restart(self) -> Start:
        """Restart it as somebody would: units are stopped, file systems unmounted."""
        self.running.send("systemctl reboot")
        return self.start()

    def wait_complete(self, timeout: float = LOGIN_S) -> str:
        """Wait until every unit is up or has failed; return which systemd says it is."""
        return self.sh("systemctl is-system-running --wait", timeout=timeout, ok=False)

    def run(self, command: str, *, timeout: float = COMMAND_S) -> tuple[int, str]:
        """Run a command; return its exit status, and what it said."""
        self._number += 1
        guest = self.running
        before = len(guest.transcript)
        guest.send(f'{{ {command}\n}} 2>&1; echo "done:{self._number}:$?"')
        found = guest.expect(rf"^done:{self._number}:(\d+)\n", timeout)
        said = guest.transcript[before : found.start()]
        return int(found[1]), re.sub(r"\A.*stty -echo.*\n", "", said).strip("\n")

    def sh(self, command: str, *, timeout: float = COMMAND_S, ok: bool = True) -> str:
        """Run a command; return what it said.

        Raises:
            AssertionError: It failed.
        """
        status, said = self.run(command, timeout=timeout)
        if ok:
            assert status == 0, f"{command}: exit status {status}\n{said}"
        return said
