# SPDX-License-Identifier: Apache-2.0
"""Two devices, a server of their own, and updates by Uptane: one that is meant, one that is forged.

The devices are directories with a sysroot, so nothing boots and nobody needs root: a restart is
played. The keys that say which releases exist are kept elsewhere than the server, as they should
be: whoever breaks into the server, and orders a device to install something, is refused.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from demo import TOP, Demo

REF = "os/stable"
BOARD = "demo-board"
DEVICES = ("device-1", "device-2")
KERNEL = "usr/lib/modules/6.1.0-demo"
FOLDERS = ("usr/bin", "usr/etc", KERNEL, "boot", "dev", "proc", "run", "sys", "sysroot", "tmp",
           "var")  # fmt: skip
START_S = 60
# A sysroot of the user's own, whose deployments can be deleted like other folders.
VARIABLES = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
CONFIG = """\
[provision]
provision_path = "{top}/credentials.zip"
mode = "SharedCredReuse"
device_id = "{name}"
primary_ecu_hardware_id = "{board}"

[uptane]
key_type = "ED25519"

[pacman]
sysroot = "{top}/{name}/sysroot"
os = "demo"
booted = "staged"
packages_file = "/nowhere"

[storage]
path = "{top}/{name}/state"

[bootloader]
reboot_sentinel_dir = "{top}/{name}/session"
reboot_command = ""

[telemetry]
report_hardware = false
report_packages = false

[control]
socket = ""
"""


class OtaDemo(Demo):
    """The demo: a folder, a screen, and the port of each of the server's doors."""

    def __init__(self, work: Path, console: Console) -> None:
        super().__init__(work, console)
        self.ports = (free_port(), free_port())

    def show(self, text: str) -> None:
        """What a command said."""
        for line in text.splitlines():
            self.console.print(f"   {line}", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something about a step."""
        self.console.print(f"   [dim]{text}[/dim]")

    def make_server(self) -> None:
        """The server's folder, and beside it the keys of the Image repository."""
        self.say("A server: an authority, keys, a database; the keys of releases stay elsewhere")
        self.run(
            "fleet", "init", self.work / "server", "--name=demo", "--hostname=127.0.0.1",
            f"--listen=127.0.0.1:{self.ports[0]}", f"--admin-listen=127.0.0.1:{self.ports[1]}",
            f"--offline-image-keys={self.shown(self.work / 'updates')}",
        )  # fmt: skip

    @contextmanager
    def served(self) -> Iterator[None]:
        """Run the server."""
        self.say("It is started")
        argv = self.type("fleet", "serve", "--quiet", self.work / "server", after=" &")
        log = (self.work / "server.log").open("wb")
        with subprocess.Popen(argv, stdout=log, stderr=log) as process:
            try:
                self._wait(process)
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait()
                log.close()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(START_S * 10):
            if process.poll() is not None:
                break
            if all(map(answers, self.ports)):
                return
            time.sleep(0.1)
        sys.exit((self.work / "server.log").read_text() or "the server does not start")

    def make_release(self, version: str) -> str:
        """A release of a small system, committed and pushed; return its checksum."""
        tree = self.work / f"tree-{version}"
        for name in FOLDERS:
            (tree / name).mkdir(parents=True)
        (tree / "ostree").symlink_to("sysroot/ostree")
        (tree / "usr/lib/os-release").write_text(f'ID=demo\nPRETTY_NAME="Demo OS {version}"\n')
        (tree / "usr/etc/motd").write_text(f"Welcome to release {version}\n")
        for name in ("vmlinuz", "initramfs.img"):
            (tree / KERNEL / name).write_text(f"a stand-in for {name} {version}\n")
        repo = f"--repo={self.shown(self.work / 'releases')}"
        said = self.run(
            repo, "commit", f"--branch={REF}", f"--tree=dir={self.shown(tree)}",
            f"--owner-uid={os.getuid()}", f"--owner-gid={os.getgid()}",
            f"--add-metadata-string=version={version}",
        )  # fmt: skip
        return said.strip()

    def publish(self, checksum: str, version: str, counter: int) -> str:
        """Push a commit, and say with the offline keys that it exists; return the image's name."""
        credentials = self.work / "credentials.zip"
        repo = f"--repo={self.shown(self.work / 'releases')}"
        self.run(repo, "push", credentials, REF)
        updates = f"--dir={self.shown(self.work / 'updates')}"
        name = self.run(
            "ota", "targets", "add", updates, f"--commit={checksum}", "--name=os",
            f"--hardware-id={BOARD}", f"--release={version}", f"--release-counter={counter}",
        ).strip()  # fmt: skip
        self.run("ota", "targets", "sign", updates)
        self.run("ota", "targets", "push", updates, f"--credentials={self.shown(credentials)}")
        return name

    def make_device(self, name: str, checksum: str) -> None:
        """A directory as a device: release 1 is deployed in it."""
        top = self.work / name
        sysroot = f"--sysroot={self.shown(top / 'sysroot')}"
        (top / "sysroot").mkdir(parents=True)
        repo = f"--repo={self.shown(top / 'sysroot/ostree/repo')}"
        self.run("admin", "init-fs", "--modern", top / "sysroot")
        self.run("admin", sysroot, "stateroot-init", "demo")
        self.run(repo, "pull-local", self.work / "releases", checksum)
        self.run("admin", sysroot, "deploy", "--os=demo", "--karg=root=LABEL=root", checksum)
        config = CONFIG.format(top=self.work, name=name, board=BOARD)
        (self.work / f"{name}.toml").write_text(config)

    def device(self, name: str, verb: str, *words: str, refused: bool = False) -> str:
        """Run the client of a device."""
        config = f"--config={self.shown(self.work / f'{name}.toml')}"
        return self.run("ota", verb, config, *words, refused=refused)

    def fleet(self, *words: str) -> str:
        """Ask the server's own tool."""
        verb = 2 if words[0] == "device" else 1
        server = f"--dir={self.shown(self.work / 'server')}"
        return self.run("fleet", *words[:verb], server, *words[verb:])

    def restart(self, name: str) -> None:
        """Play a restart: what runs is what was deployed last."""
        (self.work / name / "session/need_reboot").unlink()
        self.note(f"{name} restarts")

    def deployed(self, name: str) -> str:
        """What a device would boot."""
        sysroot = f"--sysroot={self.shown(self.work / name / 'sysroot')}"
        return self.run("admin", sysroot, "status")


def free_port() -> int:
    """A port of the loopback that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as found:
        found.settimeout(1)
        return found.connect_ex(("127.0.0.1", port)) == 0


def forge(demo: OtaDemo, device: str, checksum: str, kind: str = BOARD) -> str:
    """Order a release that its makers never signed, as whoever holds the server can."""
    from ostrya.fleet.domain.assignments import Wanted, assign
    from ostrya.fleet.domain.services import open_services
    from ostrya.uptane.metadata.targets import Image

    name = f"os-{checksum}"
    forged = Image(0, {"sha256": checksum}, {"hardwareIds": [kind], "targetFormat": "OSTREE"})
    with open_services(str(demo.work / "server")) as services:
        services.fleet.database.write(
            lambda connection: assign(
                connection, Wanted(device, name), {name: forged}, services.fleet.timestamp()
            )
        )
    return name


def play(demo: OtaDemo) -> None:
    """All steps."""
    demo.make_server()
    with demo.served():
        demo.say("What tools and devices need to know of it is one file")
        demo.run(
            "fleet", "credentials", f"--dir={demo.shown(demo.work / 'server')}",
            demo.work / "credentials.zip",
        )  # fmt: skip
        demo.say("Release 1, on two devices")
        demo.run(f"--repo={demo.shown(demo.work / 'releases')}", "init", "--mode=archive")
        first = demo.make_release("1")
        for name in DEVICES:
            demo.make_device(name, first)
        demo.say("They become the fleet's: keys of their own, certificates from the server")
        for name in DEVICES:
            demo.show(demo.device(name, "provision"))
        demo.show(demo.fleet("device", "list"))
        update(demo)
        attack(demo)


def update(demo: OtaDemo) -> None:
    """One update, from the release to the last word of the device."""
    demo.say("Release 2 is pushed, and signed with keys that are not on the server")
    image = demo.publish(demo.make_release("2"), "2", 2)
    demo.say("The first device shall have it")
    demo.show(demo.fleet("assign", DEVICES[0], image))
    demo.show(demo.device(DEVICES[0], "run", "--mode=once"))
    demo.restart(DEVICES[0])
    demo.show(demo.device(DEVICES[0], "run", "--mode=once"))
    demo.show(demo.deployed(DEVICES[0]))
    demo.show(demo.fleet("device", "show", DEVICES[0]))
    demo.note("the second one was not told to change, and does not")
    demo.show(demo.device(DEVICES[1], "run", "--mode=once"))


def attack(demo: OtaDemo) -> None:
    """Whoever breaks into the server orders something of his own."""
    demo.say("Somebody breaks into the server, puts a release of his own there, and orders it")
    forged = demo.make_release("of a stranger")
    repo = f"--repo={demo.shown(demo.work / 'releases')}"
    demo.run(repo, "push", demo.work / "credentials.zip", REF)
    image = forge(demo, DEVICES[1], forged)
    demo.note(f"the Director, whose keys are on the server, tells {DEVICES[1]} to run {image}")
    demo.device(DEVICES[1], "run", "--mode=once", refused=True)
    demo.say("It runs what it ran, and has told why")
    demo.show(demo.deployed(DEVICES[1]))
    demo.show(demo.fleet("events", f"--device={DEVICES[1]}"))


def main() -> int:
    """Play it in a fresh folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, default=TOP / "build" / "demo-ota")
    arguments = parser.parse_args()
    work: Path = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    os.environ.update(VARIABLES)
    console = Console(highlight=False, soft_wrap=True)
    begun = time.monotonic()
    play(OtaDemo(work, console))
    console.print(f"\n[bold]{time.monotonic() - begun:.0f} s altogether[/bold]")
    shown = shlex.quote(os.path.relpath(work))
    console.print(f"Everything is in {shown}; look around, then delete it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
