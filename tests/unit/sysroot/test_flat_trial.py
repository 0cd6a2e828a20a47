# SPDX-License-Identifier: Apache-2.0
"""The same stories where the names of boot entries are the record."""

from __future__ import annotations

import os

import pytest

from ostrya.boot.trial import End
from ostrya.sysroot.boot_status import read_boot_status
from ostrya.sysroot.settle import settle
from ostrya.sysroot.verdict import Verdict, mark_bad, mark_good
from support.trial_world import FlatTrialMachine


@pytest.fixture
def machine(tmp_path, no_waiting):
    made = FlatTrialMachine(tmp_path)
    made.first = made.deploy(made.commit("1"))
    mark_good(made.sysroot, made.start())
    yield made
    made.close()


def settled(machine):
    return settle(machine.sysroot, machine.loaded, machine.kargs, 5)


def tries_of(machine):
    return [str(one.entry_name.tries or "") for one in machine.loaded.deployments]


def test_only_what_is_new_is_counted(machine):
    assert tries_of(machine) == [""]
    machine.deploy(machine.commit("2"))
    assert tries_of(machine) == ["+3", ""]


def test_a_good_release(machine):
    second = machine.deploy(machine.commit("2"))
    assert machine.start().booted.is_same(second)
    assert tries_of(machine) == ["+2-1", ""]
    assert mark_good(machine.sysroot, machine.loaded)
    assert tries_of(machine) == ["", ""]
    assert machine.start().booted.is_same(second)


def test_a_kernel_that_is_not_there(machine):
    """systemd-boot passes over the entry, and counts nothing."""

    # With the same kernel as the first it would be that one's too.
    def edit(tree):
        (kernel,) = tree.glob("usr/lib/modules/*/vmlinuz")
        kernel.write_text("another kernel")

    second = machine.deploy(machine.commit("2", edit=edit))
    kernel = machine.root / f"boot{second.entry.fields['linux']}"
    kernel.unlink()
    assert machine.start().booted.is_same(machine.first)
    bad = settled(machine)
    assert (bad.checksum, bad.why) == (second.checksum, "load")
    assert machine.loaded.deployments[0].is_same(machine.first)
    assert settled(machine) is None


def test_somebodys_choice_is_nobodys_failure(machine):
    second = machine.deploy(machine.commit("2"))
    machine.run(1)
    assert machine.loaded.booted.is_same(machine.first)
    assert settled(machine) is None
    assert machine.start().booted.is_same(second)


def test_a_bad_release(machine):
    second = machine.deploy(machine.commit("2"))
    for _ in range(3):
        assert machine.start().booted.is_same(second)
        assert settled(machine) is None
    assert tries_of(machine) == ["+0-3", ""]
    assert machine.start().booted.is_same(machine.first)
    bad = settled(machine)
    assert (bad.checksum, bad.why) == (second.checksum, "tries")
    assert machine.loaded.deployments[0].is_same(machine.first)
    # It stays given up by its name: it may have the greatest number for a moment.
    assert tries_of(machine) == ["", "+0-3"]
    assert machine.start().booted.is_same(machine.first)


def test_a_verdict(machine):
    machine.deploy(machine.commit("2"))
    loaded = machine.start()
    mark_bad(machine.sysroot, loaded, loaded.booted, Verdict(End.HEALTH, "no radio"))
    assert tries_of(machine) == ["+0-3", ""]
    assert machine.start().booted.is_same(machine.first)
    assert settled(machine).detail == "no radio"


def test_another_change_in_a_trial_keeps_the_count(machine):
    from ostrya.boot.kargs import KernelArguments
    from ostrya.sysroot.change import set_kargs

    machine.deploy(machine.commit("2"))
    machine.start()
    set_kargs(machine.sysroot, machine.loaded, lambda _at, _old: KernelArguments.parse("a=b"))
    assert tries_of(machine) == ["+2-1", ""]


def test_status(machine):
    machine.deploy(machine.commit("2"))
    machine.start()
    status = read_boot_status(machine.sysroot, machine.loaded, machine.kargs)
    assert (status.tries, status.trial.on_trial, status.damage) == (1, True, ())


def test_by_hand(machine):
    from ostrya.sysroot.change import set_default

    machine.deploy(machine.commit("2"))
    mark_good(machine.sysroot, machine.start())
    set_default(machine.sysroot, machine.loaded, 1)
    assert tries_of(machine) == ["", ""]
    assert machine.start().booted.is_same(machine.first)


def test_counters_change_by_a_copy(machine, monkeypatch):
    """Power fails before the old name goes: the same again ends it, whoever of both is read."""
    second = machine.deploy(machine.commit("2"))
    loaded = machine.start()
    folder = machine.root / "boot/loader/entries"
    text = (folder / str(loaded.deployments[0].entry_name)).read_text()
    before = set(os.listdir(folder))

    def cut(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", cut)
        with pytest.raises(KeyboardInterrupt):
            mark_good(machine.sysroot, loaded)
    (new,) = set(os.listdir(folder)) - before
    assert "+" not in new
    assert before < set(os.listdir(folder))
    assert (folder / new).read_text() == text
    # What was found good counts, beside the name that has counters still.
    assert tries_of(machine) == ["", ""]
    assert machine.start().booted.is_same(second)
