# SPDX-License-Identifier: Apache-2.0
"""The classic profile: a real U-Boot counts starts by itself, in its own redundant environment."""

from __future__ import annotations

from pathlib import Path

import pytest

import build_uboot
from build_uboot import ENV_BYTES, ENV_FILES, LIMIT
from ostrya.boot.backends.uboot import make_uenv
from ostrya.boot.backends.uboot_trial import make_boot_script
from ostrya.boot.bls import Entry
from ostrya.boot.trial import End, Record
from ostrya.boot.trial_store import ClassicEnvironment, Stored
from ostrya.boot.uboot_image import Architecture, encode_script
from support import arm64_uboot
from support.arm64_uboot import BOARD, run_uboot
from support.tiny_kernel import tiny_arm64_kernel
from system.test_loader_states import Disk

pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(1800)]

NEW = "a" * 12 + ".0-beef"
# What a board's maker sets once; then the environment is on the disk, as U-Boot writes it.
SETUP = f"""\
setenv altbootcmd 'setenv rollback 1; saveenv; run bootcmd'
setenv bootlimit {LIMIT}
saveenv
saveenv
poweroff
"""
ENTRIES = [
    Entry({"title": f"OS {number}", "linux": f"/k{number}", "options": f"n={number}"})
    for number in (1, 2)
]


class Board:
    """A board with an environment, and what Ostrya does to that on the running device."""

    def __init__(self, top: Path, firmware: Path) -> None:
        self.top = top
        self.firmware = firmware
        setup = encode_script(SETUP, Architecture.ARM64, "setup")
        kernels = {f"boot/k{number}": tiny_arm64_kernel() for number in (1, 2)}
        uenv = make_uenv(ENTRIES, None).encode()
        self.disk = Disk(top, {"boot.scr": setup}, kernels | {"boot/loader/uEnv.txt": uenv})
        self.start()
        script = make_boot_script(BOARD._replace(counts_itself=True))
        self.disk.write("boot.scr", encode_script(script, Architecture.ARM64, "Ostrya"), top)

    def start(self) -> bytes:
        """Switch it on until it is off; return what the kernel was told."""
        _, tree = run_uboot(self.disk.path, self.top / "log", self.firmware)
        return tree

    def copies(self) -> list[bytes]:
        """Both copies of the environment, as they are on the disk."""
        return [self.disk.read(name) for name in ENV_FILES]

    def read(self) -> Stored:
        """What Ostrya reads on the device."""
        return self._environment().read()

    def write(self, record: Record) -> None:
        """Let Ostrya write a record."""
        self._environment().write(record)
        for name in ENV_FILES:
            self.disk.write(name, (self.top / name).read_bytes(), self.top)

    def _environment(self) -> ClassicEnvironment:
        for name, data in zip(ENV_FILES, self.copies(), strict=True):
            (self.top / name).write_bytes(data)
        config = self.top / "fw_env.config"
        config.write_text("".join(f"{self.top / name} 0 {ENV_BYTES:#x}\n" for name in ENV_FILES))
        return ClassicEnvironment(str(config), NEW)


@pytest.fixture
def board(tmp_path, record_property, request):
    if reason := arm64_uboot.missing() or build_uboot.missing():
        pytest.skip(reason)
    story = request.node.name.removeprefix("test_").replace("_", " ")
    record_property("told", f"qemu-arm64, U-Boot's bootcount|{story}")
    return Board(tmp_path, build_uboot.build())


def test_a_trial_that_fails(board):
    assert b"n=1 \0" in board.start()
    assert board.read().record == Record(NEW, 0, End.OK)
    board.write(Record(NEW))
    for count in range(1, LIMIT + 1):
        assert b"n=1 \0" in board.start()
        stored = board.read()
        assert (stored.record, stored.damage) == (Record(NEW, count), ())
    for _ in range(2):
        assert b"n=2 ostrya.pick=fallback-tries\0" in board.start()
        assert board.read().record == Record(NEW, 0, End.TRIES)
    # What settles it on the fallback makes that one the default, which is good.
    board.write(Record(NEW, 0, End.OK))
    assert b"n=1 \0" in board.start()


def test_a_trial_that_ends_well(board):
    board.write(Record(NEW))
    assert b"n=1 \0" in board.start()
    board.write(Record(NEW, 0, End.OK))
    before = board.copies()
    for _ in range(LIMIT + 2):
        assert b"n=1 \0" in board.start()
    assert board.copies() == before


@pytest.mark.parametrize("name", ENV_FILES)
def test_a_copy_that_is_torn(board, name):
    board.write(Record(NEW))
    board.start()
    torn = board.disk.read(name)[:100] + bytes(ENV_BYTES - 100)
    board.disk.write(name, torn, board.top)
    # The other copy may be the older one; it is never none.
    tries = board.read().record.tries
    assert tries in (0, 1)
    for _ in range(LIMIT - tries):
        assert b"n=1 \0" in board.start()
    assert b"n=2 ostrya.pick=fallback-tries\0" in board.start()


def test_a_kernel_that_is_missing(board):
    board.write(Record(NEW))
    files = {
        "boot/k2": tiny_arm64_kernel(),
        "boot/loader/uEnv.txt": make_uenv(ENTRIES, None).encode(),
    }
    other = board.top / "other"
    other.mkdir()
    kept = {name: board.disk.read(name) for name in ("boot.scr", *ENV_FILES)}
    board.disk = Disk(other, kept, files)
    assert b"n=2 ostrya.pick=fallback-load\0" in board.start()
    assert board.read().record == Record(NEW, 0, End.TRIES)
