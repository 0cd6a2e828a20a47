# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.boot_disks import BootDisk
from support.commands import OURS, Command

VARIABLES = {"GRUB2_BOOT_DEVICE_ID": "id", "GRUB2_PREPARE_ROOT_CACHE": "set root=x"}


@pytest.fixture
def disk(tmp_path):
    disk = BootDisk(tmp_path / "disk")
    ours = Command(OURS.path, "ours", env={"OSTREE_SYSROOT": str(disk.top)})
    ours("admin", "init-fs", "--modern", disk.top)
    (disk.top / "boot/loader").symlink_to("loader.0")
    yield disk
    disk.close()


def generate(disk: BootDisk, *words: str, **variables: str) -> Command:
    env = {"OSTREE_SYSROOT": str(disk.top), **variables}
    return Command(OURS.path, "ours", ("admin", "instutil", "grub2-generate", *words), env)


def test_the_entries_that_are_asked_for(disk):
    # The first is no deployment's name: what is current is looked at, not what is not.
    (disk.top / "boot/loader.0/entries").mkdir(parents=True)
    disk.write(1, title="Other")
    assert generate(disk, **VARIABLES)() == ""
    for command in (
        generate(disk, "1", **VARIABLES),
        generate(disk, _OSTREE_GRUB2_BOOTVERSION="1", **VARIABLES),
        generate(disk, "1", _OSTREE_GRUB2_BOOTVERSION="0", **VARIABLES),
    ):
        text = command()
        assert text.count("menuentry 'Other' --class gnu-linux") == 2
        assert "'ostree-1-id' {\nload_video\nset gfxpayload=keep\ninsmod gzio\nset root=x\n" in text


@pytest.mark.parametrize("word", ["2", "-1", "one", "", "18446744073709551616"])
def test_what_is_no_bootversion(disk, word):
    assert f"Invalid bootversion: {word}" in generate(disk, "--", word, **VARIABLES).fails()


@pytest.mark.parametrize("name", VARIABLES)
def test_who_else_calls_it(disk, name):
    variables = {key: value for key, value in VARIABLES.items() if key != name}
    assert f"{name} is not set" in generate(disk, **variables).fails()
