# SPDX-License-Identifier: Apache-2.0
"""A device updates itself over the network, and comes back by itself from a release that is broken.

A Debian with Ostrya in it becomes a disk, and QEMU starts it under U-Boot. On its console the
device is told to take release 2 from a server on this machine, and restarts into it. Release 3 has
a C library that is cut off: its kernel gives up, three times, and release 2 runs again and says so.

Nothing of this needs root, once there is the Debian: mmdebstrap builds it the first time.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

from rich.console import Console  # noqa: E402  # the path first

import device_tree  # noqa: E402
from demo_screen import Screen  # noqa: E402
from ostrya.image.board import load_board  # noqa: E402
from support.systemd_device import Start, SystemdDevice  # noqa: E402

OSTRYA = Path(sys.executable).parent / "ostrya"
BOARD = "qemu-x86_64-uboot"
# Of the host, as QEMU's own network has it.
HOST = "10.0.2.2"
NETWORK = ("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net")
RELEASES = ("1.0", "2.0", "3.0")
TRIES = 3
LIBRARY = "usr/lib/x86_64-linux-gnu/libc.so.6"
START_S = 20
_PICKS = {"": "as usual", "trial": "on trial", "fallback-tries": "fallback"}
# Those on the way; the last one of each says "done".
_PROGRESS = re.compile(r"^[a-z ]+: [\d/]+(, .*)?\n", re.MULTILINE)
_PAGE = """\
# A device updates itself, and comes back by itself

`make demo-boot DEMO_BOOT=--write-transcript` writes this page: what was typed on the host (`$`) and
on the device (`device#`), and what was said, but for progress on its way. The device is a Debian in
QEMU, with U-Boot as its firmware, 256 MB of memory, and systemd as process 1; see
[automatic rollback](explanation/rollback.md) for what the loader and Ostrya's units do.

"""


class Happened(NamedTuple):
    """A start of the device, and what became of it.

    Attributes:
        release: Which one was started.
        pick: Why the loader started it.
        end: What became of it.
        seconds: How long that took.
    """

    release: str
    pick: str
    end: str
    seconds: float


class BootDemo:
    """A folder to work in, a screen, and what has happened so far."""

    def __init__(self, work: Path, screen: Screen) -> None:
        self.work = work
        self.screen = screen
        self.commits: dict[str, str] = {}
        self.starts: list[Happened] = []

    # -- on the host

    def host(self, *words: str | Path) -> str:
        """Run an ``ostrya`` command here; return what it said."""
        typed = [str(word) for word in words]
        self.screen.typed("$", f"ostrya {shlex.join(typed)}")
        done = subprocess.run(
            [str(OSTRYA), *typed], cwd=self.work, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"{done.stdout}{done.stderr}")
        return done.stdout

    def make_releases(self) -> None:
        """Build the disk of release 1, and commit two more."""
        screen = self.screen
        screen.step("A Debian with Ostrya in it")
        screen.note("linux, systemd, Python: packages as they are in Debian; built once, and kept")
        device_tree.build_base()
        device_tree.make_device_tar(self.work / "debian.tar", version=RELEASES[0])
        screen.step("A repository that devices update from, and a disk with release 1.0 on it")
        self.host("init", "--repo=ostree_repo", "--mode=archive")
        # Nobody waits for this repository to be small, nor to survive a power cut.
        self.host("config", "--repo=ostree_repo", "set", "archive.zlib-level", "1")
        self.host("config", "--repo=ostree_repo", "set", "core.fsync", "false")
        said = self.host(
            "image", "build", f"--board={BOARD}", "--rootfs=debian.tar", "--output=disk.img",
            "--repo=ostree_repo", f"--ref={ref_of(RELEASES[0])}", f"--os-version={RELEASES[0]}",
            # Mitigations take time in an emulator, and protect nobody there.
            "--karg=loglevel=4", "--karg=mitigations=off",
        )  # fmt: skip
        screen.said("\n".join(line for line in said.splitlines() if not line.startswith("  ")))
        self._remember(RELEASES[0])
        screen.step("Release 2.0, and release 3.0 whose C library was cut off on its way")
        for version, before in zip(RELEASES[1:], RELEASES, strict=False):
            self._write_changes(version)
            self.host(
                "commit", "--repo=ostree_repo", f"--branch={ref_of(version)}",
                f"--base={ref_of(before)}", f"--tree=dir=changes-{version}", "--owner-uid=0",
                "--owner-gid=0", "--bootable", f"--add-metadata-string=version={version}",
            )  # fmt: skip
            self._remember(version)
            changes = self.host("diff", "--repo=ostree_repo", ref_of(before), ref_of(version))
            screen.said(changes)
        self.host("summary", "--repo=ostree_repo", "--update")

    def _write_changes(self, version: str) -> None:
        top = self.work / f"changes-{version}"
        for name, text in device_tree.release_files(version).items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if version == RELEASES[2]:
            library = top / LIBRARY
            library.parent.mkdir(parents=True)
            library.write_bytes(b"\x7fELF\x02\x01\x01")
            library.chmod(0o755)

    def _remember(self, version: str) -> None:
        argv = [str(OSTRYA), "rev-parse", "--repo=ostree_repo", ref_of(version)]
        done = subprocess.run(argv, cwd=self.work, capture_output=True, text=True, check=True)
        self.commits[done.stdout.strip()] = version

    # -- on the device

    def device(self, device: SystemdDevice, command: str) -> None:
        """Type a command on the device; show what it says."""
        self.screen.typed("device#", command)
        status, said = device.run(command)
        self.screen.said(_PROGRESS.sub("", said))
        if status != 0:
            raise SystemExit(f"the device ended it with status {status}")

    def update(self, device: SystemdDevice, version: str) -> None:
        """Let the device pull and deploy a release."""
        name = f"local_repo:{ref_of(version)}"
        self.device(device, f"ostree pull {name}")
        self.device(device, f"ostree admin deploy {name}")
        self.device(device, "ostree admin status | grep pending")

    def restart(self, device: SystemdDevice) -> None:
        """Restart the device; what comes then is waited for by others."""
        self.screen.typed("device#", "reboot")
        device.running.send("reboot")

    def comes_up(self, device: SystemdDevice, expected: str, pick: str) -> None:
        """See a release come up, until all its units are up."""
        begun = time.monotonic()
        start = device.wait_start()
        device.log_in()
        state = device.wait_complete()
        self._happened(start, f"came up: {state}", begun)
        last = self.starts[-1]
        if (last.release, start.pick, state) != (expected, pick, "running"):
            raise SystemExit(f"release {expected} should run now, by {pick or 'a usual start'}")

    def gives_up(self, device: SystemdDevice) -> None:
        """See a release fail."""
        begun = time.monotonic()
        start = device.wait_start()
        why = device.wait_panic()
        self._happened(start, f"kernel panic: {why}", begun)

    def _happened(self, start: Start, end: str, begun: float) -> None:
        release = self.commits.get(start.commit, start.commit)
        happened = Happened(release, start.pick, end, time.monotonic() - begun)
        self.starts.append(happened)
        number = len(self.starts)
        self.screen.event(
            f"start {number}: release {release}, {_PICKS.get(start.pick, start.pick)}; {end}",
            happened.seconds,
        )


def ref_of(version: str) -> str:
    """The ref of a release: version, machine, image."""
    return f"{version}-qemux86-64-demo"


def play(demo: BootDemo) -> None:
    """All steps."""
    demo.make_releases()
    screen = demo.screen
    screen.step("The repository on the network")
    with served(demo) as url:
        argv = [*load_board(BOARD).qemu.argv(str(demo.work / "disk.img")), *NETWORK]  # type: ignore[union-attr]  # it has one
        with SystemdDevice(argv, demo.work / "console.log") as device:
            screen.watched = device
            play_on(demo, device, url)
            screen.watched = None


def play_on(demo: BootDemo, device: SystemdDevice, url: str) -> None:
    """What happens on the device."""
    screen = demo.screen
    screen.step("A device is switched on")
    screen.typed("$", shlex.join(device.argv).replace(f"{demo.work}/", ""))
    device.power_on()
    demo.comes_up(device, RELEASES[0], "")
    screen.step("It is told where releases are, and takes release 2.0")
    demo.device(device, f"ostree remote add local_repo {url} --no-gpg-verify")
    demo.device(device, "ostree remote refs local_repo")
    demo.update(device, RELEASES[1])
    demo.restart(device)
    demo.comes_up(device, RELEASES[1], "trial")
    demo.device(device, "ostree admin status")
    demo.device(device, "ostrya boot status")
    screen.step("It takes release 3.0, which does not come up")
    demo.update(device, RELEASES[2])
    demo.restart(device)
    for _ in range(TRIES):
        demo.gives_up(device)
    screen.step("Release 2.0 is back")
    demo.comes_up(device, RELEASES[1], "fallback-tries")
    demo.device(device, "cat /usr/share/release")
    demo.device(device, "ostree admin status")
    demo.device(device, "ostrya boot status")


@contextmanager
def served(demo: BootDemo) -> Iterator[str]:
    """Serve the repository; its address, as the device sees it."""
    port_file = demo.work / "port"
    words = [
        "serve", "--repo=ostree_repo", "--below=/ostree_repo", "--address=127.0.0.1", "--port=0",
        f"--port-file={port_file.name}",
    ]  # fmt: skip
    demo.screen.typed("$", f"ostrya {shlex.join(words)} &")
    with (demo.work / "server.log").open("w") as log:
        process = subprocess.Popen([str(OSTRYA), *words], cwd=demo.work, stdout=log, stderr=log)
    try:
        yield f"http://{HOST}:{wait_for_port(port_file, process)}/ostree_repo"
    finally:
        process.terminate()
        process.wait()


def wait_for_port(port_file: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait until the server has told its port."""
    for _ in range(START_S * 50):
        if process.poll() is not None:
            break
        if port_file.exists() and port_file.read_text().strip():
            return int(port_file.read_text())
        time.sleep(0.02)
    raise SystemExit("the server does not start; see server.log")


def summary(starts: Sequence[Happened], seconds: float) -> str:
    """Every start, and how long it all took."""
    lines = ["start  release  why       seconds  what became of it"]
    for number, one in enumerate(starts, 1):
        why = _PICKS.get(one.pick, one.pick)
        lines.append(f"{number:<6} {one.release:<8} {why:<9} {one.seconds:>7.0f}  {one.end}")
    lines.append(f"{int(seconds) // 60} min {seconds % 60:.0f} s altogether")
    return "\n".join(lines)


def missing() -> str:
    """Empty if this machine has all that it takes, else what it lacks."""
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    for program in ("qemu-system-x86_64", "mke2fs", "debugfs", "busybox"):
        if shutil.which(program, path=places) is None:
            return f"{program} is not installed: see tools/debian-packages.txt"
    board = load_board(BOARD).qemu
    for path in () if board is None else board.firmware:
        if not Path(path).exists():
            return f"{path} is not there: see tools/debian-packages.txt"
    reason = device_tree.missing()
    return f"no Debian for devices can be built: {reason}" if reason else ""


def write_page(path: Path, transcript: str) -> None:
    """Write what was said as a page of the documentation."""
    text = re.sub(r"[ \t]+$", "", transcript, flags=re.MULTILINE).strip()
    path.write_text(f"{_PAGE}{text}\n")


def main() -> int:
    """Play the demo in a fresh folder, and leave it for the reader to look around in."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, default=TOP / "build" / "demo-boot")
    parser.add_argument("--write-transcript", action="store_true", help="write docs/demo-boot.md")
    args = parser.parse_args()
    if reason := missing():
        print(f"cannot show it here: {reason}", file=sys.stderr)
        return 1
    work = args.work.absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    begun = time.monotonic()
    with Screen(Console(highlight=False, soft_wrap=True)) as screen:
        demo = BootDemo(work, screen)
        play(demo)
        screen.step("What happened")
        screen.said(summary(demo.starts, time.monotonic() - begun))
    if args.write_transcript:
        write_page(TOP / "docs/demo-boot.md", screen.transcript)
    print(f"\nEverything is in {work}; look around, then delete it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
