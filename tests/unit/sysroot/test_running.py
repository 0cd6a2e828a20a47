# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.sysroot import running
from ostrya.sysroot.running import find_running, make_writable
from ostrya.sysroot.sysroot import NOT_RUNNING


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "ostree-booted"


def here() -> tuple[int, int]:
    found = os.stat("/")
    return found.st_dev, found.st_ino


def test_whose_it_is(mark, tmp_path):
    assert find_running("/", str(mark)) is NOT_RUNNING
    mark.touch()
    assert find_running("/", str(mark)).root == here()
    # By another path, it could be the same disk: what runs is not deleted there either.
    other = find_running(str(tmp_path), str(mark))
    assert (other.root, other.kept) == (None, here())


@pytest.mark.parametrize(
    ("metadata", "root"),
    [
        ((("backing-root-device-inode", Variant("(tt)", (7, 9))),), (7, 9)),
        ((("backing-root-device-inode", Variant("s", "7")),), None),
        ((("composefs", Variant("b", True)),), None),
    ],
)
def test_what_the_note_says(mark, metadata, root):
    mark.write_bytes(encode_variant("a{sv}", VarDict(metadata)))
    assert find_running("/", str(mark)).root == (root or here())


def test_notes_of_others(mark):
    mark.write_bytes(b"not ours")
    assert find_running("/", str(mark)).root == here()
    mark.write_bytes(b"x" * ((1 << 20) + 1))
    assert find_running("/", str(mark)).root == here()


def test_what_is_mounted_read_only(monkeypatch):
    done = []

    def remount(place):
        done.append(place)
        if place == "/sysroot":
            raise FileNotFoundError(place)

    monkeypatch.setattr(running, "enter_own_namespace", lambda: done.append("alone"))
    monkeypatch.setattr(running, "remount_writable", remount)
    make_writable()
    assert done == ["alone", "/sysroot", "/boot"]


def test_the_running_systems_own_directories(machine):
    """There ``ostree`` is a link, and everything works through it."""
    machine.close()
    (machine.root / "sysroot").mkdir()
    (machine.root / "ostree").rename(machine.root / "sysroot/ostree")
    (machine.root / "ostree").symlink_to("sysroot/ostree")
    machine.sysroot = machine.open()
    first = machine.deploy(machine.commit("1"))
    (machine.etc(first) / "default").write_text("mine\n")
    machine.run(0)
    second = machine.deploy(machine.commit("2"))
    assert (machine.etc(second) / "default").read_text() == "mine\n"
    assert [one.booted for one in machine.loaded.deployments] == [False, True]
