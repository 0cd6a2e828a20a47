# SPDX-License-Identifier: Apache-2.0
"""Every point is reached by some change, in its order; and the reference page names each."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ostrya._linux.trace import PREFIX, trace_to
from ostrya.boot.backends.grub2_trial import STATE_FILE as GRUB_FILE
from ostrya.boot.grubenv import encode_grubenv
from ostrya.boot.trace_points import Point
from ostrya.boot.trial import End
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.settle import settle
from ostrya.sysroot.stage import finalize_staged, stage_deployment
from ostrya.sysroot.verdict import Verdict, mark_bad, mark_good
from support.machines import REF, Machine
from support.trial_world import STATE, TrialMachine

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/boot/trace-points.md"


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.flush_filesystem", lambda _fd: False)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.sync_filesystem", lambda _fd: None)


class Tape:
    """What was told since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.all: set[str] = set()

    def take(self) -> list[str]:
        lines = self._path.read_text().splitlines()
        self._path.write_text("")
        names = [line.removeprefix(PREFIX) for line in lines]
        self.all |= set(names)
        return names


@pytest.fixture
def tape(tmp_path):
    path = tmp_path / "trace"
    trace_to(str(path))
    yield Tape(path)
    trace_to("")


def deploy_and_verdicts(top: Path, tape: Tape) -> None:
    machine = TrialMachine(top)
    machine.deploy(machine.commit("1"))
    mark_good(machine.sysroot, machine.start())
    tape.take()
    machine.deploy(machine.commit("2"))
    assert tape.take() == [
        "deploy.begun", "deploy.checked-out", "deploy.laid-out", "deploy.merged", "deploy.finished",
        "write.begun", "write.trial-begun", "write.entries-written", "write.links-made", "write.links-swapped",
        "write.loader-file-written", "write.synced", "write.swapped", "write.flushed", "write.after-swap",
        "write.done", "write.cleaned-up",
    ]  # fmt: skip
    mark_good(machine.sysroot, machine.start())
    record = ["record.begun", "record.copy-written", "record.copy-written", "record.written"]
    assert tape.take() == ["mark-good.begun", "mark-good.remembered", *record, "mark-good.done"]
    machine.deploy(machine.commit("3"))
    loaded = machine.start()
    tape.take()
    mark_bad(machine.sysroot, loaded, loaded.deployments[0], Verdict(End.HEALTH))
    assert tape.take() == ["mark-bad.begun", "mark-bad.remembered", *record, "mark-bad.done"]
    loaded = machine.start()
    assert settle(machine.sysroot, loaded, machine.kargs, 1) is not None
    said = tape.take()
    assert said[:3] == ["settle.begun", "settle.remembered", "write.begun"]
    assert said[-1] == "settle.done"
    machine.close()


def grub_record(top: Path, tape: Tape) -> None:
    """GRUB on EFI: its record is one block, and its file is replaced behind the swap."""
    machine = Machine(top)
    machine.configure("ostrya", rollback="grub2", rollback_state=STATE)
    (machine.root / STATE / "ostrya").mkdir(parents=True)
    (machine.root / STATE / GRUB_FILE).write_bytes(encode_grubenv({}))
    machine.configure("sysroot", bootloader="grub2")
    (machine.root / "boot/efi/EFI/test").mkdir(parents=True)
    (machine.root / "boot/efi/EFI/test/grub.cfg").write_text("")
    machine.deploy(machine.commit("1"))
    said = tape.take()
    swap = ["write.flushed", "loader.file-kept", "loader.file-replaced", "write.after-swap"]
    at = said.index("write.flushed")
    assert said[at : at + 4] == swap
    machine.deploy(machine.commit("2"))
    tape.take()
    mark_good(machine.sysroot, machine.run())
    record = ["record.begun", "record.written"]
    assert tape.take() == ["mark-good.begun", "mark-good.remembered", *record, "mark-good.done"]
    machine.close()


def staged(top: Path, tape: Tape) -> None:
    machine = Machine(top)
    machine.deploy(machine.commit("1"))
    loaded = machine.run()
    wish = DeployWish("test", machine.commit("2"), Origin.following(REF))
    tape.take()
    stage_deployment(machine.sysroot, loaded, wish, loaded.booted)
    assert tape.take()[-3:] == ["stage.rehearsed", "stage.noted", "stage.done"]
    finalize_staged(machine.sysroot, machine.loaded)
    said = tape.take()
    own = [name for name in said if name.startswith("finalize.")]
    steps = ("begun", "forgotten", "merged", "written", "done")
    assert own == [f"finalize.{step}" for step in steps]
    assert (said[0], said[-1]) == ("finalize.begun", "finalize.done")
    machine.close()


def links_alone(top: Path, tape: Tape) -> None:
    """The same kernel and arguments: one rename of a link."""
    machine = Machine(top)
    first = machine.commit("1")
    machine.deploy(first)
    tape.take()
    machine.deploy(first)
    machine.deploy(first)
    said = tape.take()
    last = said[len(said) - said[::-1].index("write.begun") - 1 :]
    assert last == [
        "write.begun", "write.trial-begun", "write.links-made", "write.synced", "write.links-swapped",
        "write.flushed", "write.done", "write.cleaned-up",
    ]  # fmt: skip
    machine.close()


def entries_one_by_one(top: Path, tape: Tape) -> None:
    machine = Machine(top)
    machine.configure("sysroot", bootloader="systemd-boot")
    machine.configure("ostrya", rollback="systemd-boot")
    machine.deploy(machine.commit("1"))
    said = [name for name in tape.take() if name.startswith("write.")]
    assert said == [
        "write.begun", "write.trial-begun", "write.links-made", "write.links-swapped", "write.entries-written",
        "write.synced", "write.loader-file-written", "write.swapped", "write.flushed", "write.after-swap",
        "write.done", "write.cleaned-up",
    ]  # fmt: skip
    mark_good(machine.sysroot, machine.run())
    assert tape.take() == ["mark-good.begun", "mark-good.remembered", "mark-good.done"]
    machine.close()


def test_each_is_reached(tmp_path, no_waiting, tape):
    for scene in (deploy_and_verdicts, grub_record, staged, links_alone, entries_one_by_one):
        (tmp_path / scene.__name__).mkdir()
        scene(tmp_path / scene.__name__, tape)
    assert tape.all == set(Point)


def test_the_page_names_each():
    assert re.findall(r"^\| `([a-z.-]+)` \|", PAGE.read_text(), re.MULTILINE) == list(Point)
