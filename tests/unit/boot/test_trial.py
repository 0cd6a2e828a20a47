# SPDX-License-Identifier: Apache-2.0
"""The decisions, and that the scripts of U-Boot and GRUB decide alike in every state."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from ostrya.boot.backends.grub2_trial import make_trial_cfg
from ostrya.boot.backends.uboot import make_uenv
from ostrya.boot.backends.uboot_trial import ScriptBoard, make_boot_script, trial_lines
from ostrya.boot.bls import Entry
from ostrya.boot.errors import TrialStateInvalid
from ostrya.boot.trial import (
    PICK,
    End,
    Record,
    Start,
    Trial,
    Why,
    after_failed_load,
    decide,
    decide_unwritable,
    is_identity,
    make_identity,
)
from support.loader_shell import GrubMachine, PowerCut, Reset, Started, UBootMachine, Writes

NEW, OLD, OTHER = (f"{letter * 12}.0-beef" for letter in "abc")
KERNELS = ("/ostree/os-1/vmlinuz", "/ostree/os-2/vmlinuz")
RAMDISKS = ("/ostree/os-1/initramfs.img", "/ostree/os-2/initramfs.img")
TRIALS = [
    Trial(identity, fallback, on_trial, most)
    for identity in (NEW, "")
    for fallback in (OLD, "", None)
    for on_trial in (False, True)
    for most in (1, 3)
    if (on_trial and identity and fallback is not None) or (not on_trial and most == 3)
]
RECORDS = [
    Record(identity, tries, end, once)
    for identity in ("", NEW, OLD, OTHER)
    for tries in (0, 1, 2, 3)
    for end in End
    for once in ("", NEW, OLD, OTHER)
    if not (end.value and tries)
]
MISSING = [
    set(), {KERNELS[0]}, {RAMDISKS[0]}, {KERNELS[1]}, {KERNELS[0], RAMDISKS[1]},
]  # fmt: skip
SCRIPTS = {kind: make_boot_script(ScriptBoard(kind)) for kind in ("booti", "zboot")}


def entries_of(trial):
    made = [
        Entry({"linux": kernel, "initrd": ramdisk, "options": f"n={index} ostree=/o/{index}"})
        for index, (kernel, ramdisk) in enumerate(zip(KERNELS, RAMDISKS, strict=True))
    ]
    return made if trial.fallback is not None else made[:1]


def as_variables(record):
    return {"ostrya_v": "1", **{k: v for k, v in record.to_variables().items() if v}}


def record_of(copies):
    """What a loader finds."""
    found = next((copy for copy in copies if copy is not None), None)
    return Record() if found is None else Record.from_variables(found)


def expect(trial, record, missing, *, writable):
    """By the table: what is started, or None; and the record afterwards."""
    start = decide(trial, record) if writable else decide_unwritable(trial, record)
    while start is not None:
        if writable and start.record is not None:
            record = start.record
        at = int(start.fallback)
        if not {KERNELS[at], RAMDISKS[at]} & missing:
            return (at, start.why), record
        start = after_failed_load(trial, start)
    return None, record


def words_of(started):
    """From a kernel's command line to what was started, and why."""
    at = int(next(word for word in started if word.startswith("n=")).removeprefix("n="))
    why = next((w.removeprefix(f"{PICK}=") for w in started if w.startswith(PICK)), "")
    return at, Why(why)


@cache
def uenv_of(trial):
    text = make_uenv(entries_of(trial), None)
    return dict(line.split("=", 1) for line in (*text.split("\n"), *trial_lines(trial)) if line)


@cache
def grub_cfg_of(trial):
    return make_trial_cfg(entries_of(trial), trial, prefix="/boot")


def run_uboot(trial, writes, missing, kind="booti"):
    uenv = uenv_of(trial)
    machine = UBootMachine(uenv, writes, {f"/boot{path}" for path in missing})
    try:
        machine.shell.run(SCRIPTS[kind])
    except Started as exc:
        return words_of(exc.args[0])
    except (Reset, PowerCut) as exc:
        return "cut" if isinstance(exc, PowerCut) else None
    raise AssertionError("the script ended at a prompt")


def run_grub(trial, writes, missing):
    text = grub_cfg_of(trial)
    machine = GrubMachine(writes, {f"/boot{path}" for path in missing})
    try:
        machine.run(text)
    except Started as exc:
        return words_of(exc.args[0])
    except (Reset, PowerCut) as exc:
        return "cut" if isinstance(exc, PowerCut) else None
    raise AssertionError("the menu ended at a prompt")


LOADERS = {"uboot": (run_uboot, 2), "grub": (run_grub, 1)}


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "unwritable"])
@pytest.mark.parametrize("loader", LOADERS)
def test_the_scripts_decide_as_the_table(loader, writable):
    run, count = LOADERS[loader]
    for trial, record, missing in itertools.product(TRIALS, RECORDS, MISSING):
        if record.once and len(missing) > 1:
            continue
        writes = Writes([as_variables(record)] * count, writable=writable)
        wanted, after = expect(trial, record, missing, writable=writable)
        assert run(trial, writes, missing) == wanted, (trial, record, missing)
        if writable:
            assert record_of(writes.copies) == after, (trial, record, missing)
            if after != record:
                assert writes.copies.count(writes.copies[0]) == count
        else:
            assert record_of(writes.copies) == record


def test_a_pc_is_started_alike():
    for record, missing in itertools.product(RECORDS[::3], MISSING):
        trial = Trial(NEW, OLD, on_trial=True)
        wanted, _ = expect(trial, record, missing, writable=True)
        assert run_uboot(trial, Writes([as_variables(record)] * 2), missing, "zboot") == wanted


@pytest.mark.parametrize("loader", LOADERS)
def test_every_power_cut(loader):
    """Whatever write the power fails at, the next start is one that the table allows."""
    run, count = LOADERS[loader]
    cuts = 0
    for trial, record, missing, torn in itertools.product(
        TRIALS, RECORDS[::2], MISSING[:2], (True, False)
    ):
        for cut_at in range(6):
            writes = Writes([as_variables(record)] * count, cut_at=cut_at, torn=torn)
            if run(trial, writes, missing) != "cut":
                break
            cuts += 1
            left = record_of(writes.copies)
            # Either copy is the record before or one that was to be written, or nothing at all
            # where there is one copy: a sector, which a disk writes as a whole or not.
            allowed = {record, decide(trial, record).record, Record()}
            allowed |= {Record(trial.identity, 0, End.LOAD), record._replace(once="")}
            assert left in allowed
            again = Writes(list(writes.copies))
            wanted, _ = expect(trial, left, missing, writable=True)
            assert run(trial, again, missing) == wanted
    assert cuts > 500


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("most", [1, 3])
def test_a_bad_release_ends(loader, most):
    """It is started so many times and no more, and then the fallback for ever."""
    run, count = LOADERS[loader]
    trial = Trial(NEW, OLD, on_trial=True, most=most)
    writes = Writes([as_variables(Record(OTHER, 2))] * count)
    got = [run(trial, writes, set()) for _ in range(most + 3)]
    assert got[:most] == [(0, Why.TRIAL)] * most
    assert got[most:] == [(1, Why.TRIES), (1, Why.BAD), (1, Why.BAD)]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_good_release_stays(loader):
    """Once it stood its trial, nothing is written any more."""
    run, count = LOADERS[loader]
    trial = Trial(NEW, OLD, on_trial=True)
    writes = Writes([as_variables(Record(NEW, 0, End.OK))] * count)
    for _ in range(5):
        assert run(trial, writes, set()) == (0, Why.USUAL)
    assert writes.done == 0


@pytest.mark.parametrize("loader", LOADERS)
def test_a_lost_record_begins_again(loader):
    run, count = LOADERS[loader]
    trial = Trial(NEW, OLD, on_trial=True)
    writes = Writes([None] * count)
    assert run(trial, writes, set()) == (0, Why.TRIAL)
    assert record_of(writes.copies) == Record(NEW, 1)


def test_one_torn_copy_is_no_loss():
    trial = Trial(NEW, OLD, on_trial=True)
    for copies in ([None, as_variables(Record(NEW, 3))], [as_variables(Record(NEW, 3)), None]):
        assert run_uboot(trial, Writes(copies), set()) == (1, Why.TRIES)


def test_power_cuts_within_a_trial_end_too():
    """A cut may cost a count, so that there is a start more; never an endless trial."""
    for loader, (run, count) in LOADERS.items():
        for cuts in itertools.product((-1, 0, 1), repeat=3):
            trial = Trial(NEW, OLD, on_trial=True)
            copies = [as_variables(Record())] * count
            starts = []
            for cut_at in (*cuts, *[-1] * 4):
                writes = Writes(list(copies), cut_at=cut_at)
                starts.append(run(trial, writes, set()))
                copies = writes.copies
            assert starts[-1] == (1, Why.BAD) or starts.count((0, Why.TRIAL)) <= 6, (loader, cuts)
            last = run(trial, Writes(list(copies)), set())
            assert last[0] == 1 or record_of(copies).tries, (loader, cuts)


@pytest.mark.parametrize(
    "text", ["", "abc", f"{'a' * 12}.01-beef", f"{'A' * 12}.0-beef", f"{NEW}x"]
)
def test_no_identity(text):
    assert not is_identity(text)


def test_identity():
    assert make_identity("ab" * 32, 3, "00ff") == "abababababab.3-00ff"
    assert is_identity(make_identity("ab" * 32, 3, "00ff"))


@pytest.mark.parametrize(
    "variables",
    [{"ostrya_try": "y"}, {"ostrya_try": "x" * 10}, {"ostrya_end": "?"}, {"ostrya_id": "x"},
     {"ostrya_once": "../x"}],
    ids=str,
)  # fmt: skip
def test_a_record_that_nobody_writes(variables):
    with pytest.raises(TrialStateInvalid):
        Record.from_variables(variables)


def test_a_record_comes_back():
    for record in RECORDS:
        assert Record.from_variables(record.to_variables()) == record


def test_an_unknown_fallback_is_one():
    """Debian's ostree deployed it: it has no identity, and can be started all the same."""
    trial = Trial(NEW, "", on_trial=True)
    assert decide(trial, Record(NEW, 3)) == Start(True, Why.TRIES, Record(NEW, 0, End.TRIES))
