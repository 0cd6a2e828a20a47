# SPDX-License-Identifier: Apache-2.0
"""The decisions are tested in test_trial; here, what a board may want otherwise."""

from __future__ import annotations

import pytest

from ostrya.boot.backends.uboot_trial import ScriptBoard, make_boot_script, trial_lines
from ostrya.boot.trial import Trial
from support.loader_shell import Reset, Started, UBootMachine, Writes

UENV = {
    "kernel_image": "/boot/k1", "ramdisk_image": "/boot/r1", "bootargs": "n=1",
    "kernel_image2": "/boot/k2", "ramdisk_image2": "/boot/r2", "bootargs2": "n=2",
}  # fmt: skip


def start(board, uenv, missing=(), variables=None):
    """Run the script; return what was started and the commands that did it."""
    machine = UBootMachine(dict(uenv), Writes([None, None]), set(missing))
    machine.shell.variables.update(variables or {})
    said = []
    for name in ("booti", "bootz", "bootm", "zboot", "fdt"):

        def note(words, name=name):
            said.append((name, *words))
            if name != "fdt":
                raise Started(machine.shell.variables["bootargs"].split())
            return True

        machine.shell.commands[name] = note
    saved = []
    machine.shell.commands["saveenv"] = lambda _words: bool(saved.append(1) or True)
    try:
        machine.shell.run(make_boot_script(board))
    except Started as exc:
        return exc.args[0], said, machine
    except Reset:
        return None, said, machine
    raise AssertionError("at a prompt")


def test_lines():
    trial = Trial("a" * 12 + ".0-0000", "b" * 12 + ".0-0000", on_trial=True, most=2)
    assert trial_lines(trial) == [
        "dep_id=aaaaaaaaaaaa.0-0000", "dep_id2=bbbbbbbbbbbb.0-0000", "dep_trial=1", "dep_tries=xx",
    ]  # fmt: skip
    assert trial_lines(Trial()) == []


def test_addresses_and_arguments():
    board = ScriptBoard("booti", kernel_addr="0x1", ramdisk_addr="0x2", extra_args="console=x")
    started, said, _ = start(board, UENV, variables={"fdtcontroladdr": "0x9"})
    assert started == ["console=x", "n=1"]
    assert said == [("booti", "0x1", "0x2:200", "0x9")]


def test_the_firmwares_device_tree_comes_before_u_boots():
    variables = {"fdt_addr": "0x8", "fdtcontroladdr": "0x9"}
    _, said, _ = start(ScriptBoard("booti", kernel_addr="1", ramdisk_addr="2"), UENV, (), variables)
    assert said[0][-1] == "0x8"


def test_the_deployments_device_tree_and_overlays():
    board = ScriptBoard("bootz", kernel_addr="1", ramdisk_addr="2", fdt_addr="3", overlay_addr="4")
    uenv = {**UENV, "fdt_file": "/boot/d", "fdt_overlays": "/boot/o1 /boot/o2"}
    _, said, _ = start(board, uenv)
    assert said == [
        ("fdt", "addr", "3"), ("fdt", "resize", "8192"), ("fdt", "apply", "4"), ("fdt", "apply", "4"),
        ("bootz", "1", "2:200", "3"),
    ]  # fmt: skip


def test_overlays_are_not_laid_over_the_firmwares_own_device_tree():
    board = ScriptBoard("bootz", kernel_addr="1", ramdisk_addr="2", fdt_addr="3", overlay_addr="4")
    uenv = {**UENV, "fdt_overlays": "/boot/o1"}
    _, said, _ = start(board, uenv, variables={"fdt_addr": "8"})
    assert said == [
        ("fdt", "addr", "8"), ("fdt", "move", "8", "3", "20000"), ("fdt", "apply", "4"),
        ("bootz", "1", "2:200", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize("gone", ["/boot/d", "/boot/o2"])
def test_without_its_device_tree_nothing_is_started(gone):
    board = ScriptBoard("booti", kernel_addr="1", ramdisk_addr="2", fdt_addr="3", overlay_addr="4")
    uenv = {**UENV, "fdt_file": "/boot/d", "fdt_overlays": "/boot/o1 /boot/o2"}
    del uenv["kernel_image2"]
    assert start(board, uenv, [gone])[0] is None


def test_a_directory_of_device_trees():
    board = ScriptBoard("booti", kernel_addr="1", fdt_addr="3", fdtfile="b/own.dtb")
    uenv = {**UENV, "fdtdir": "/boot/dtb"}
    assert start(board, uenv)[1][0][-1] == "3"
    missing = {"/boot/dtb/b/own.dtb"}
    started = start(board, uenv, missing)[0]
    assert started == ["n=2", "ostrya.pick=fallback-load"]
    assert start(board, uenv, missing, {"fdtfile": "b/other.dtb"})[0] == ["n=1"]


@pytest.mark.parametrize("kind", ["booti", "zboot"])
def test_without_a_ramdisk(kind):
    uenv = {key: value for key, value in UENV.items() if "ramdisk" not in key}
    started, said, _ = start(ScriptBoard(kind, kernel_addr="1", ramdisk_addr="2"), uenv)
    assert started == ["n=1"]
    assert said[-1][:3] == (kind, "1", "-" if kind == "booti" else "200")


def test_no_file_at_all():
    assert start(ScriptBoard("booti"), UENV, ["/boot/loader/uEnv.txt"])[0] is None


@pytest.mark.parametrize(
    ("variables", "missing", "started"),
    [
        ({}, (), ["n=1"]),
        ({"rollback": "1"}, (), ["n=2", "ostrya.pick=fallback-tries"]),
        ({"upgrade_available": "1"}, ["/boot/k1"], ["n=2", "ostrya.pick=fallback-load"]),
        ({}, ["/boot/k1", "/boot/k2"], None),
    ],
)
def test_where_u_boot_counts_itself(variables, missing, started):
    got, _, machine = start(ScriptBoard("booti", counts_itself=True), UENV, missing, variables)
    assert got == started
    if variables.get("upgrade_available"):
        assert machine.shell.variables["rollback"] == "1"
        assert machine.shell.variables["upgrade_available"] == "0"


def test_no_such_command():
    with pytest.raises(ValueError, match="bootx"):
        make_boot_script(ScriptBoard("bootx"))


def test_overlays_of_a_bad_release_are_not_in_the_way_of_its_fallback():
    board = ScriptBoard("booti", kernel_addr="1", ramdisk_addr="2", fdt_addr="3", overlay_addr="4")
    uenv = {
        **UENV, "fdtdir": "/boot/dtb", "fdtdir2": "/boot/dtb2", "fdt_overlays": "/boot/bad",
        "fdtfile": "bad.dtb", "fdt_overlays2": "/boot/good",
    }  # fmt: skip
    variables = {"fdtfile": "board.dtb"}
    started, said, _ = start(board, uenv, ["/boot/bad", "/boot/dtb2/bad.dtb"], variables)
    assert started == ["n=2", "ostrya.pick=fallback-load"]
    assert said[-2:] == [("fdt", "apply", "4"), ("booti", "1", "2:200", "3")]
    # And back, if the fallback cannot be loaded either.
    started, _, machine = start(board, uenv, ["/boot/k1", "/boot/k2"], variables)
    assert started is None
    assert machine.shell.variables["fdt_overlays"] == "/boot/bad"
    assert machine.shell.variables["fdtfile"] == "bad.dtb"
