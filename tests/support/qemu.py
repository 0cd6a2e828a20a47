# SPDX-License-Identifier: Apache-2.0
"""Machines in QEMU, spoken to over their serial line.

Always by emulation of every instruction: KVM is not everywhere, and where it is, firmware may stop on
instructions that it does not emulate.

    guest = Guest(qemu_argv(kernel=…, initrd=…, append="…", disks=[Disk(path)]))
    with guest:
        guest.expect(r"login:", 60)
        guest.send("root")
"""

from __future__ import annotations

import codecs
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

PROGRAM = "qemu-system-x86_64"
MEMORY_MIB = 256
# For kernels that are started without a loader: what takes time and shows nothing.
FAST_KARGS = "mitigations=off no_timer_check tsc=reliable lpj=4000000 lsm= audit=0 nowatchdog"
TAIL_LINES = 60


class Disk(NamedTuple):
    """A disk of a guest.

    Attributes:
        path: Its image, raw.
        interface: virtio, scsi, ide, nvme, usb or mmc.
        throwaway: Whether what the guest writes is gone at its end.
    """

    path: Path
    interface: str = "virtio"
    throwaway: bool = False


def missing(program: str = PROGRAM) -> str:
    """Empty if guests can run here, else why not."""
    return "" if shutil.which(program) else f"{program} is not installed"


_DEVICES = {
    "virtio": ("virtio-blk-pci,drive={0}",),
    "scsi": ("virtio-scsi-pci,id=b{0}", "scsi-hd,drive={0},bus=b{0}.0"),
    "ide": ("ide-hd,drive={0}",),
    "nvme": ("nvme,drive={0},serial={0}",),
    "usb": ("qemu-xhci,id=b{0}", "usb-storage,drive={0},bus=b{0}.0"),
    "mmc": ("sdhci-pci,id=b{0}", "sd-card,drive={0}"),
}


def qemu_argv(
    *,
    program: str = PROGRAM,
    machine: str = "q35",
    memory_mib: int = MEMORY_MIB,
    kernel: Path | None = None,
    initrd: Path | None = None,
    append: str = "",
    disks: Sequence[Disk] = (),
    extra: Iterable[str] = (),
    reboots: bool = False,
) -> list[str]:
    """Build a command line.

    Args:
        program: The emulator.
        machine: Its kind of machine.
        memory_mib: How much memory the guest has.
        kernel: What to boot without a loader; without one, the disks' loader boots.
        initrd: With that kernel.
        append: Its command line.
        disks: In the order in which the guest sees them.
        extra: Whatever else: firmware, networks, a clock.
        reboots: Whether the guest may start again; if not, a restart ends the emulator.
    """
    argv = [
        program, "-accel", "tcg", "-machine", machine, "-m", str(memory_mib), "-nodefaults", "-no-user-config",
        "-display", "none", "-serial", "stdio", "-nic", "none",
    ]  # fmt: skip
    if not reboots:
        argv.append("-no-reboot")
    if kernel is not None:
        argv += ["-kernel", str(kernel), "-append", append]
    if initrd is not None:
        argv += ["-initrd", str(initrd)]
    for at, disk in enumerate(disks):
        name = f"disk{at}"
        snapshot = "on" if disk.throwaway else "off"
        argv += ["-drive", f"if=none,id={name},format=raw,file={disk.path},snapshot={snapshot}"]
        for device in _DEVICES[disk.interface]:
            argv += ["-device", device.format(name)]
    return [*argv, *extra]


class GuestError(AssertionError):
    """A guest did not say or do what was expected; the message has the end of its transcript."""


class Guest:
    """A running emulator.

    Attributes:
        transcript: All that its serial line has said, escape sequences and carriage returns left out.
        started: When it was started, by `time.monotonic`.
    """

    def __init__(self, argv: Sequence[str], *, log: Path | None = None) -> None:
        self.argv = list(argv)
        self.transcript = ""
        self.started = time.monotonic()
        self._at = 0
        self._raw = b""
        # A character may come in two parts.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._log = log.open("wb") if log else None
        self._process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            bufsize=0, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()

    def expect(self, pattern: str, timeout: float = 60) -> re.Match[str]:
        """Wait until the guest says something, from where the last `expect` ended.

        Raises:
            GuestError: It did not in time, or ended.
        """
        deadline = time.monotonic() + timeout
        compiled = re.compile(pattern, re.MULTILINE)
        while True:
            found = compiled.search(self.transcript, self._at)
            if found is not None:
                self._at = found.end()
                return found
            if not self._read(deadline):
                late = time.monotonic() >= deadline
                what = f"did not say within {timeout:g} s" if late else "ended without saying"
                raise GuestError(f"the guest {what}: {pattern}\n{self.tail()}")

    def send(self, line: str) -> None:
        """Type a line."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(line.encode() + b"\n")

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end, and return the emulator's status.

        Raises:
            GuestError: It did not end in time.
        """
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        try:
            return self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise GuestError(f"the guest did not end within {timeout:g} s\n{self.tail()}") from None

    def cpu_s(self) -> float:
        """Return how long the emulator has worked: what other programs do does not count."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def work(self, seconds: float) -> None:
        """Wait until it has worked so long, or four times as long has passed.

        What a guest does in that time does not depend on what else this machine does.
        """
        goal, deadline = self.cpu_s() + seconds, time.monotonic() + 4 * seconds
        while self.cpu_s() < goal and time.monotonic() < deadline:
            self._read(time.monotonic() + 0.05)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()

    def tail(self) -> str:
        """The end of what it said."""
        return "\n".join(self.transcript.splitlines()[-TAIL_LINES:])

    def _read(self, deadline: float) -> bool:
        """Read what there is; False at the deadline, or at its end."""
        stdout = self._process.stdout
        assert stdout is not None
        if stdout.closed:
            return False
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([stdout], [], [], left)[0]:
            return False
        data = os.read(stdout.fileno(), 64 * 1024)
        if not data:
            return False
        if self._log is not None:
            self._log.write(data)
            self._log.flush()
        self._raw += data
        # An escape sequence may still be on its way.
        cut = self._raw.rfind(b"\x1b", max(0, len(self._raw) - 32))
        ready = self._raw if cut == -1 or _ESCAPE.match(self._raw, cut) else self._raw[:cut]
        self._raw = self._raw[len(ready) :]
        text = _ESCAPE.sub(b"", ready).replace(b"\r", b"")
        self.transcript += self._decoder.decode(text)
        return True


_ESCAPE = re.compile(rb"\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Za-z0-9]|[=>78cDEHMNOZ])")
