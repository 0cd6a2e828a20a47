# SPDX-License-Identifier: Apache-2.0
"""Changes to a sysroot whose disk is recorded, and what it would start wherever power is cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol, Self

from ostrya.boot.backends.grub2_trial import STATE_FILE as GRUB_FILE
from ostrya.boot.backends.uboot_trial import FORMAT, FORMAT_VARIABLE, STATE_BYTES, STATE_FILES
from ostrya.boot.grubenv import encode_grubenv
from ostrya.boot.kargs import KernelArguments
from ostrya.boot.trial import End
from ostrya.boot.uboot_env import encode_environment
from ostrya.formats.checksum import Checksum
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.settle import settle
from ostrya.sysroot.stage import finalize_staged, stage_deployment
from ostrya.sysroot.verdict import Verdict, mark_bad, mark_good
from ostrya.sysroot.write_deployments import write_deployments
from support import os_tree
from support.blklog import Bounds, Replay, State, WriteLog, states
from support.disk_judge import GRUB, UBOOT, Judge, NotBootable, Started
from support.machines import REF, Machine
from support.recorded_disk import RecordedDisk, make_file_system

STATE = "boot/state"
DISK_BYTES = 96 << 20
_KERNEL_BYTES = 700_000


class Step(NamedTuple):
    """A change that was made.

    Attributes:
        name: What it is called.
        commit: Of the deployment that is started once it is done.
        fallback: Whether that is the loader's fallback.
        end: How many entries the log had when it was done.
    """

    name: str
    commit: str
    fallback: bool
    end: int


class CutMachine(Machine):
    """A sysroot on a recorded disk."""

    def __init__(self, top: Path, loader: str, *, rollback: bool = True) -> None:
        super().__init__(top)
        self.loader, self.steps = loader, list[Step]()
        self._disk: RecordedDisk | None = None
        self._random = random.Random(1)
        if rollback:
            self.configure("ostrya", rollback=loader, rollback_state=STATE)
        self.configure("sysroot", bootloader=loader)
        self.configure("core", fsync="true")
        folder = self.root / STATE
        (folder / "ostrya").mkdir(parents=True)
        (folder / GRUB_FILE).write_bytes(encode_grubenv({}))
        for name in STATE_FILES:
            (folder / name).write_bytes(encode_environment({FORMAT_VARIABLE: FORMAT}, STATE_BYTES))
        if loader == GRUB:
            (self.root / "boot/grub").mkdir()
            (self.root / "boot/grub/grub.cfg").symlink_to("../loader/grub.cfg")
        first = self.release("1")
        self.deploy(first, kargs="root=LABEL=otaroot")
        self.run()
        if rollback:
            mark_good(self.sysroot, self.loaded)
        self.first = first

    def release(self, version: str) -> Checksum:
        """Commit a release with a kernel and some files of a fair size."""

        def edit(tree: Path) -> None:
            modules = tree / "usr/lib/modules" / os_tree.KERNEL
            draw = random.Random(version)
            for name in ("vmlinuz", "initramfs.img"):
                (modules / name).write_bytes(draw.randbytes(_KERNEL_BYTES))
            for at in range(24):
                (tree / f"usr/bin/tool-{at}").write_bytes(self._random.randbytes(9000 + 100 * at))

        return self.commit(version, edit=edit)

    @classmethod
    def attach(cls, root: Path, scratch: Path) -> Self:
        """Go on in a guest, where somebody else records."""
        self = cls.__new__(cls)
        self.top, self.root, self.said, self.vendor = scratch, root, [], None
        self._disk = None
        self.sysroot = self.open()
        self._note("nothing", self.run().deployments[0].checksum)
        return self

    def record(self, disk: RecordedDisk) -> None:
        """Go on on that disk, which has what is here."""
        self.close()
        self._disk, self.root = disk, disk.top
        self.sysroot = self.open()
        self.run()
        self._note("nothing", self.loaded.deployments[0].checksum)

    def _note(self, name: str, commit: str, *, fallback: bool = False) -> None:
        if self._disk is None:
            # The host notes it, and says when to go on.
            print(f"STEP {name} {commit} {int(fallback)}", flush=True)
            input()
            return
        self.steps.append(Step(name, commit, fallback, self._disk.count()))

    def step_deploy(self, commit: Checksum) -> None:
        """Deploy it."""
        self.deploy(commit)
        self._note("deploy", commit)

    def step_finalize(self, commit: Checksum) -> None:
        """Stage it, and finalize it."""
        loaded = self.run()
        wish = DeployWish("test", commit, Origin.following(REF))
        stage_deployment(self.sysroot, loaded, wish, loaded.booted)
        self._note("stage", loaded.deployments[0].checksum)
        finalize_staged(self.sysroot, self.loaded)
        self._note("finalize", commit)

    def step_good(self) -> None:
        """Start the default, and find it good."""
        loaded = self.run()
        mark_good(self.sysroot, loaded)
        self._note("mark-good", loaded.deployments[0].checksum)

    def step_bad(self) -> None:
        """Start the default, and find it bad."""
        loaded = self.run()
        mark_bad(self.sysroot, loaded, loaded.deployments[0], Verdict(End.HEALTH))
        self._note("mark-bad", loaded.deployments[1].checksum, fallback=True)

    def step_settle(self) -> None:
        """Start the fallback, and make it the default."""
        loaded = self.run(1)
        assert settle(self.sysroot, loaded, KernelArguments(), 1) is not None
        self._note("settle", loaded.deployments[1].checksum)

    def step_swap(self) -> None:
        """Make the second one the default."""
        loaded = self.loaded
        first, second, *rest = loaded.deployments
        write_deployments(self.sysroot, loaded, [second, first, *rest])
        self._note("set-default", second.checksum)

    def step_undeploy(self) -> None:
        """Remove the default, while the second one is running."""
        loaded = self.run(1)
        _first, second, *rest = loaded.deployments
        write_deployments(self.sysroot, loaded, [second, *rest])
        self._note("undeploy", second.checksum)


class Recording(Protocol):
    """A disk that was recorded: what it was, and the log."""

    base: Path
    log: Path


class Report(NamedTuple):
    """What was found.

    Attributes:
        judged: How many states.
        problems: Which of them are wrong, and why.
    """

    judged: int
    problems: list[str]


def record(machine: CutMachine, play: Callable[[CutMachine], None]) -> RecordedDisk:
    """Make a disk of what a machine has, and play on it."""
    base = make_file_system(machine.root, machine.top / "base.img", DISK_BYTES)
    with RecordedDisk(machine.top, base) as disk:
        machine.record(disk)
        try:
            play(machine)
        finally:
            machine.close()
    return disk


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory in memory, if there is such a thing: checks of file systems wait for the disk."""
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def judge_all(
    machine: CutMachine,
    disk: Recording,
    bounds: Bounds = Bounds(),  # noqa: B008
    *,
    every: int = 1,
    record_folder: str | None = STATE,
) -> Report:
    """Judge what a power cut could leave; each of so many states."""
    problems: list[str] = []
    judged = 0
    with (
        scratch() as work,
        WriteLog(disk.log) as log,
        Replay(disk.base, log, work / "cut.img") as replay,
    ):
        judge = Judge(machine.loader, work, record_folder)
        _learn(machine, judge, disk, log)
        first = machine.steps[0].end
        for number, state in enumerate(states(log.writes, bounds, start=first)):
            if number % every:
                continue
            judged += 1
            where = f"{state}, in {_step_of(machine, state)[1].name}"
            try:
                found = judge.judge(replay.show(state))
            except NotBootable as exc:
                problems.append(f"{where}: {exc}")
                continue
            problems += [
                f"{where}: {words}"
                for words in _compare(machine, state, (found.raw, found.replayed))
            ]
    return Report(judged, problems)


def _learn(machine: CutMachine, judge: Judge, disk: Recording, log: WriteLog) -> None:
    """What deployments there are between two steps is whole."""
    judge.learn(disk.base)
    with Replay(disk.base, log, judge.work / "learn.img") as replay:
        for step in machine.steps:
            replay.show(State(step.end))
            judge.learn_replayed(replay.path)


def _step_of(machine: CutMachine, state: State) -> tuple[Step, Step]:
    """The steps before and in which power is cut."""
    reached = max(state.extra, default=state.certain - 1) + 1
    ends = machine.steps
    at = next((at for at, step in enumerate(ends) if reached <= step.end), len(ends) - 1)
    return ends[max(at - 1, 0)], ends[at]


def _compare(machine: CutMachine, state: State, found: tuple[Started, Started]) -> Iterator[str]:
    before, after = _step_of(machine, state)
    wanted = {(one.commit, one.fallback) for one in (before, after)}
    for view, one in zip(("without the journal", "with it"), found, strict=True):
        if (one.commit, one.fallback) not in wanted:
            yield f"{view}, {one.commit[:8]} is started ({one.why or 'as usual'}), not {sorted(wanted)}"


def play_trials(machine: CutMachine, second: Checksum, third: Checksum) -> None:
    """A good release, and a bad one that is rolled back."""
    machine.step_deploy(second)
    machine.step_good()
    machine.step_deploy(third)
    machine.step_bad()
    machine.step_settle()


__all__ = ["GRUB", "UBOOT", "CutMachine", "Report", "judge_all", "play_trials", "record"]
