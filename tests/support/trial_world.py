# SPDX-License-Identifier: Apache-2.0
"""A machine with automatic rollback, whose loader is the real ``boot.scr`` in a small interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ostrya.boot.backends.uboot_trial import (
    FORMAT,
    FORMAT_VARIABLE,
    STATE_BYTES,
    STATE_FILES,
    ScriptBoard,
    make_boot_script,
)
from ostrya.boot.bls import Entry, EntryName, Tries
from ostrya.boot.errors import EnvironmentInvalid
from ostrya.boot.kargs import KernelArguments
from ostrya.boot.trial import Record
from ostrya.boot.uboot_env import decode_environment, encode_environment
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.ledger import BadRelease
from ostrya.sysroot.loading import Loaded
from ostrya.sysroot.settle import settle
from ostrya.sysroot.verdict import mark_good
from support.loader_shell import Reset, Started, UBootMachine, Writes
from support.machines import Machine

NOW = 1_800_000_000
STATE = "state"
SCRIPT = make_boot_script(ScriptBoard("booti"))


class TrialMachine(Machine):
    """A sysroot with U-Boot and a record; `start` is what the board does when it is switched on."""

    def __init__(self, top: Path, **settings: str) -> None:
        super().__init__(top)
        self.configure("ostrya", rollback="uboot", rollback_state=STATE, **settings)
        self.configure("sysroot", bootloader="uboot")
        self.state = self.root / STATE
        self.state.mkdir()
        for name in STATE_FILES:
            data = encode_environment({FORMAT_VARIABLE: FORMAT}, STATE_BYTES)
            (self.state / name).write_bytes(data)
        self.kargs = KernelArguments()
        self.missing: set[str] = set()
        self.writable = True

    def record(self) -> Record:
        """What the loader finds."""
        for name in STATE_FILES:
            copy = self._copy(name)
            if copy is not None:
                return Record.from_variables(copy)
        return Record()

    def _copy(self, name: str) -> dict[str, str] | None:
        try:
            return decode_environment((self.state / name).read_bytes()).variables
        except (EnvironmentInvalid, FileNotFoundError):
            return None

    def start(self) -> Loaded:
        """Let the loader choose, and that deployment be the running one."""
        text = (self.root / "boot/loader/uEnv.txt").read_text()
        uenv = dict(line.split("=", 1) for line in text.splitlines() if line)
        writes = Writes([self._copy(name) for name in STATE_FILES], writable=self.writable)
        board = UBootMachine(uenv, writes, self.missing)
        try:
            board.shell.run(SCRIPT)
        except Started as exc:
            self.kargs = KernelArguments.parse(" ".join(exc.args[0]))
        except Reset:
            raise AssertionError("nothing could be started") from None
        for name, copy in zip(STATE_FILES, writes.copies, strict=True):
            if copy is not None:
                data = encode_environment({FORMAT_VARIABLE: FORMAT, **copy}, STATE_BYTES)
                (self.state / name).write_bytes(data)
        link = (self.root / self.kargs.last_value("ostree").removeprefix("/")).resolve()
        paths = [(self.root / one.path).resolve() for one in self.loaded.deployments]
        return self.run(paths.index(link))


def begun_machine(top: Path) -> Iterator[TrialMachine]:
    """A machine that runs its first release, which is known to be good; closed at the end."""
    machine = TrialMachine(top)
    machine.first = machine.deploy(machine.commit("1"))
    mark_good(machine.sysroot, machine.start())
    yield machine
    machine.close()


def running(machine: TrialMachine) -> Deployment:
    """What runs."""
    return next(one for one in machine.loaded.deployments if one.booted)


def settled(machine: TrialMachine) -> BadRelease | None:
    """Do what is done early in a start."""
    return settle(machine.sysroot, machine.loaded, machine.kargs, NOW)


class FlatTrialMachine(Machine):
    """A sysroot with systemd-boot, which counts in the names of entries."""

    def __init__(self, top: Path, **settings: str) -> None:
        super().__init__(top)
        self.configure("ostrya", rollback="systemd-boot", **settings)
        self.configure("sysroot", bootloader="systemd-boot")
        self.kargs = KernelArguments()

    def names(self) -> list[str]:
        """Entries in the order in which they are tried; one whose kernel is not there is none."""
        found = [
            path.name
            for path in (self.root / "boot/loader/entries").iterdir()
            if Path(f"{self.root}/boot{Entry.parse(path.read_text()).fields['linux']}").exists()
        ]

        def key(name: str) -> tuple[bool, int]:
            parsed = EntryName.parse(name)
            assert parsed is not None
            return parsed.tries is None or parsed.tries.left > 0, parsed.version

        return sorted(found, key=key, reverse=True)

    def start(self) -> Loaded:
        """Let systemd-boot choose and count, and that deployment be the running one."""
        folder = self.root / "boot/loader/entries"
        name = self.names()[0]
        parsed = EntryName.parse(name)
        assert parsed is not None
        if parsed.tries is not None and parsed.tries.left:
            tries = Tries(parsed.tries.left - 1, (parsed.tries.done or 0) + 1)
            new = str(parsed._replace(tries=tries))
            (folder / name).rename(folder / new)
            name = new
        self.kargs = Entry.parse((folder / name).read_text()).kargs
        link = (self.root / self.kargs.last_value("ostree").removeprefix("/")).resolve()
        paths = [(self.root / one.path).resolve() for one in self.loaded.deployments]
        return self.run(paths.index(link))
