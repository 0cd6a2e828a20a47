# SPDX-License-Identifier: Apache-2.0
"""Where aktualizr meets Ostrya: a server, its releases, and devices that are directories.

What is run is kept in ``log`` of the working folder: what was typed in ``typed``, and what each
program of the peer said in a file of its own.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rich.console import Console

from demo_ota import BOARD, REF, OtaDemo, answers
from peer_booted import LINKS, booted
from peer_checks import (
    PROGRAMS,
    START_S,
    Unexpected,
    find_program,
    last_words,
    listed,
    wait_for,
)  # fmt: skip

RUN_S = 180
_CONFIG = """\
[logger]
loglevel = 1

[provision]
{provision}
primary_ecu_hardware_id = "{board}"

[tls]
{tls}

[uptane]
key_type = "{key_type}"
secondary_preinstall_wait_sec = 20
{uptane}

[pacman]
{pacman}
packages_file = "{top}/packages"

[storage]
path = "{top}/state"

[import]
base_path = "{top}/import"
tls_cacert_path = "ca.pem"
tls_clientcert_path = "client.pem"
tls_pkey_path = "client.key"

[bootloader]
reboot_sentinel_dir = "{top}/session"
reboot_command = ""
"""
_OURS = '\n[control]\nsocket = ""\n'


class Device(NamedTuple):
    """A folder that is a device.

    Attributes:
        name: What the server calls it.
        top: The folder.
        ours: Whether our client runs on it.
    """

    name: str
    top: Path
    ours: bool = False

    @property
    def config(self) -> Path:
        """Its settings."""
        return self.top / "config.toml"

    @property
    def sysroot(self) -> Path:
        """Where commits are deployed."""
        return self.top / "sysroot"

    @property
    def running(self) -> Path:
        """The file that says which deployment runs."""
        return self.top / "running"

    @property
    def image(self) -> Path:
        """Where files are kept that were downloaded."""
        return self.top / "images"


class Wish(NamedTuple):
    """How a device is to be.

    Attributes:
        shared: Whether it registers itself; otherwise it is given a certificate.
        key_type: Of the key that signs its reports.
        commit: What is deployed on it; empty where images are files.
        secondaries: The file that names its other ECUs; None for none.
        given: A folder with its client.pem, pkey.pem and whatever else it is to import; None for
            those that the server makes.
        ours: Whether our client runs on it.
    """

    shared: bool = True
    key_type: str = "RSA2048"
    commit: str = ""
    secondaries: Path | None = None
    given: Path | None = None
    ours: bool = False


class Lab(OtaDemo):
    """The working folder with all that is in it."""

    def __init__(self, work: Path, peer: Path) -> None:
        self.program_folder = peer
        self.keeps_keys = False
        self.log = work / "log"
        self.log.mkdir(parents=True)
        self.typed = self.log / "typed"
        self._stream = self.typed.open("w")
        super().__init__(work, Console(file=self._stream, highlight=False, width=200))
        self._programs = {name: find_program(peer, name) for name in PROGRAMS}
        self._runs = itertools.count(1)
        self._counters = itertools.count(2)

    def peer(
        self,
        name: str,
        *words: str | Path,
        device: Device | None = None,
        fails: bool | None = False,
    ) -> str:
        """Run a program of the peer, on a device where one is named, and return what it said.

        With ``fails`` it has to, without it must not; None is for either.

        Raises:
            Unexpected: It ends otherwise than it has to.
        """
        argv = self._argv(name, device, *words)
        self.console.print(f"   $ {' '.join([name, *map(str, words)])}", markup=False)
        with self.open_log(name) as log:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=RUN_S,
                check=False, cwd=self.work,
            )  # fmt: skip
            log.seek(0)
            said = log.read().decode(errors="replace")
        if fails is not None and (done.returncode != 0) != fails:
            raise Unexpected(f"{name} ends with {done.returncode}: {last_words(said)}")
        return said

    def _argv(self, name: str, device: Device | None, *words: str | Path) -> list[str]:
        argv = [str(self._programs[name]), *map(str, words)]
        if device is None or device.ours or not device.running.exists():
            return argv
        seen = [self.work, self._programs[name]]
        return booted(device.sysroot, Path(device.running.read_text()), seen, argv)

    def open_log(self, name: str) -> BinaryIO:
        """Open the file for the words of a program's next run."""
        return (self.log / f"{next(self._runs):03}-{name}").open("w+b")

    @contextmanager
    def ecu(self, device: Device, port: int) -> Iterator[None]:
        """Have an ECU at the other end of a wire until this ends."""
        words: tuple[str | Path, ...] = ("-c", device.config)
        if device.ours:
            name, argv = "ostrya", self.type("ota", "secondary", *words, after=" &")
        else:
            name, argv = "aktualizr-secondary", self._argv("aktualizr-secondary", device, *words)
            self.console.print(f"   $ {name} -c {device.config} &", markup=False)
        with self._process(name, argv) as process:
            wait_for(lambda: answers(port), f"{name} listens at {port}", process)
            yield

    @contextmanager
    def daemon(self, device: Device) -> Iterator[None]:
        """Have aktualizr run on a device until this ends."""
        self.console.print(f"   $ aktualizr -c {device.config} full &", markup=False)
        argv = self._argv("aktualizr", device, "-c", device.config, "full")
        with self._process("aktualizr", argv):
            yield

    @contextmanager
    def _process(self, name: str, argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        with self.open_log(name) as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(START_S)
                except subprocess.TimeoutExpired:
                    process.kill()

    def make_server(self) -> None:
        """A server whose keys of releases are elsewhere, unless it is to keep them."""
        if not self.keeps_keys:
            super().make_server()
            return
        self.run(
            "fleet", "init", self.work / "server", "--hostname=127.0.0.1",
            f"--listen=127.0.0.1:{self.ports[0]}", f"--admin-listen=127.0.0.1:{self.ports[1]}",
            "--key-type=rsa2048",
        )  # fmt: skip

    def fleet_verb(self, *words: str) -> str:
        """Ask the server's own tool by a verb of two words."""
        server = f"--dir={self.work / 'server'}"
        return self.run("fleet", *words[:2], server, *words[2:])

    def credentials(self, name: str, *words: str) -> Path:
        """Have the server write credentials."""
        path = self.work / f"{name}.zip"
        if not path.exists():
            self.fleet("credentials", *words, str(path))
        return path

    def make(self, name: str, wish: Wish) -> Device:
        """Make a device."""
        device = Device(name, self.work / name, wish.ours)
        for folder in ("import", "state", "images"):
            (device.top / folder).mkdir(parents=True)
        (device.top / "packages").write_text("base-files 12.4\nsystemd 252.39\n")
        provision, tls = self._identity(device, wish)
        uptane = f'secondary_config_file = "{wish.secondaries}"' if wish.secondaries else ""
        device.config.write_text(
            _CONFIG.format(
                top=device.top, board=BOARD, provision=provision, tls=tls, uptane=uptane,
                key_type=wish.key_type, pacman=self.manager(device, wish.commit),
            )
            + (_OURS if wish.ours else "")
        )  # fmt: skip
        return device

    def _identity(self, device: Device, wish: Wish) -> tuple[str, str]:
        server = f'server = "https://127.0.0.1:{self.ports[0]}"'
        folder = device.top / "import"
        if wish.given is not None:
            shutil.copyfile(self.work / "server/ca/ca.pem", folder / "ca.pem")
            for path in wish.given.iterdir():
                shutil.copyfile(path, folder / path.name)
            (folder / "pkey.pem").rename(folder / "client.key")
            return "", server
        if wish.shared:
            path = device.top / "credentials.zip"
            shutil.copyfile(self.credentials("devices", "--devices-only"), path)
            return f'provision_path = "{path}"\ndevice_id = "{device.name}"', ""
        self.fleet("device", "add", "--pem", f"--output={folder}", device.name)
        (folder / f"{device.name}.pem").rename(folder / "client.pem")
        (folder / f"{device.name}.key").rename(folder / "client.key")
        return "", server

    def manager(self, device: Device, commit: str) -> str:
        """Have a commit deployed if one is named; return the settings of what installs images."""
        if not commit:
            return f'type = "none"\nimages_path = "{device.image}"'
        sysroot = device.sysroot
        sysroot.mkdir()
        option = f"--sysroot={sysroot}"
        self.run("admin", "init-fs", "--modern", sysroot)
        self.run("admin", option, "stateroot-init", "demo")
        self.run(f"--repo={sysroot}/ostree/repo", "pull-local", self.work / "releases", commit)
        self.run("admin", option, "deploy", "--os=demo", "--karg=root=LABEL=root", commit)
        if device.ours:
            return f'type = "ostree"\nos = "demo"\nsysroot = "{sysroot}"\nbooted = "staged"'
        self.boot(device)
        return f'type = "ostree"\nimages_path = "{device.image}"'

    def boot(self, device: Device) -> None:
        """Let a device run what its sysroot would boot."""
        option = f"--sysroot={device.sysroot}"
        (device.top / "session/need_reboot").unlink(missing_ok=True)
        device.running.write_text(
            self.run("admin", "status", option, "--print-current-dir").strip()
        )

    def cycle(self, device: Device, *, fails: bool = False) -> str:
        """Have a device ask once, install, and report."""
        if not device.ours:
            return self.peer("aktualizr", "-c", device.config, "once", device=device, fails=fails)
        return self.run("ota", "run", f"--config={device.config}", "--mode=once", refused=fails)

    def try_cycle(self, device: Device) -> None:
        """The same, however it ends."""
        argv = self.type("ota", "run", f"--config={device.config}", "--mode=once")
        with self.open_log("ostrya") as log:
            subprocess.run(argv, stdout=log, stderr=log, check=False, timeout=RUN_S)

    def about(self, device: Device | str) -> dict[str, object]:
        """All that the server knows of a device."""
        name = device if isinstance(device, str) else device.name
        found = json.loads(self.fleet("device", "show", name, "--json"))
        if not isinstance(found, dict):
            raise Unexpected("the server says nothing of a device")
        return found

    def states(self, device: Device) -> dict[str, tuple[str, str]]:
        """Target and state of the last assignment of each ECU of a device."""
        found = self.about(device)
        rows = [*listed(found["history"]), *listed(found["assignments"])]
        rows.sort(key=lambda row: int(str(row["id"])))
        return {str(row["ecu"]): (str(row["target"]), str(row["state"])) for row in rows}

    def images(self, device: Device) -> dict[str, str]:
        """What each ECU says that it runs, by serials."""
        found = listed(self.about(device)["ecus"])
        named = {str(row["serial"]): row["image"] for row in found}
        return {
            serial: str(image["name"]) if isinstance(image, dict) else ""
            for serial, image in named.items()
        }

    def events(self, device: Device) -> list[str]:
        """Types of all events of a device, oldest first."""
        found = json.loads(self.fleet("events", f"--device={device.name}", "--last=200", "--json"))
        rows = listed(found["events"] if isinstance(found, dict) else found)
        return [str(row["type"]) for row in rows]

    def add_file(self, name: str, data: bytes, *kinds: str, role: str = "") -> str:
        """Publish an image that is a file."""
        path = self.work / "files" / name.replace("/", "-")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        self.run(
            "ota", "targets", "add", f"--dir={self.updates}", name, path,
            *(f"--hardware-id={kind}" for kind in kinds or (BOARD,)),
            f"--release-counter={next(self._counters)}", *([f"--role={role}"] if role else []),
        )  # fmt: skip
        self.release()
        return name

    def make_release(self, version: str) -> str:
        """A release on which programs of the host can run."""
        tree = self.work / f"tree-{version}"
        tree.mkdir()
        for name, target in LINKS.items():
            (tree / name).symlink_to(target)
        return super().make_release(version)

    def add_commit(self, version: str, *kinds: str) -> str:
        """Publish an image that is a commit, of a new release."""
        checksum = self.make_release(version)
        tools = self.work / "credentials.zip"
        self.run(f"--repo={self.work / 'releases'}", "push", tools, REF)
        name = self.run(
            "ota", "targets", "add", f"--dir={self.updates}", f"--commit={checksum}",
            "--name=os", *(f"--hardware-id={kind}" for kind in kinds or (BOARD,)),
            f"--release-counter={next(self._counters)}",
        ).strip()  # fmt: skip
        self.release()
        return name

    def newest(self) -> str:
        """Checksum of the newest release."""
        return self.run(f"--repo={self.work / 'releases'}", "rev-parse", REF).strip()

    def release(self) -> None:
        """Sign what is staged, and push it to the server."""
        self.run("ota", "targets", "sign", f"--dir={self.updates}")
        tools = f"--credentials={self.work / 'credentials.zip'}"
        self.run("ota", "targets", "push", f"--dir={self.updates}", tools)

    @property
    def updates(self) -> Path:
        """The Image repository's workplace, whose keys the server does not have."""
        return self.work / "updates"
