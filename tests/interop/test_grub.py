# SPDX-License-Identifier: Apache-2.0
"""GRUB menu entries of Debian's ostree, and ours for the same boot entries."""

from __future__ import annotations

import os

import pytest

from support.command_machines import Machine
from support.commands import PEER, Command

pytestmark = [pytest.mark.peer, pytest.mark.root]

VARIABLES = {
    "GRUB2_BOOT_DEVICE_ID": "simple-it's",
    "GRUB2_PREPARE_ROOT_CACHE": "\tinsmod part_gpt\n\tset root='hd0,gpt2'",
}


@pytest.mark.parametrize("more", [{}, {"_OSTREE_GRUB2_IS_EFI": "1"}])
@pytest.mark.parametrize("words", [(), ("0",), ("1",)])
def test_byte_for_byte(tmp_path, more, words):
    machine = Machine(tmp_path, OSTREE_SYSROOT_OPTS="bootloader-naming-1", **VARIABLES, **more)
    peer = Command(PEER.path, "peer", env=machine.ours.env)
    machine.release("1")
    machine.deploy("--karg=quiet", '--karg=dyndbg="file a.c +p"')
    (tmp_path / "tree-1/usr/etc/os-release").write_text('PRETTY_NAME="It\'s an OS"\n')
    device_tree = tmp_path / "tree-1/usr/lib/modules/6.1.0-test/devicetree"
    device_tree.write_text("tree of devices\n")
    machine.ours(machine.repo, "commit", "-b", "test/os", f"--tree=dir={tmp_path / 'tree-1'}")
    machine.deploy()
    expected = peer("admin", "instutil", "grub2-generate", *words)
    assert machine.ours("admin", "instutil", "grub2-generate", *words) == expected
    current = os.readlink(machine.root / "boot/loader").removeprefix("loader.")
    assert expected.count("menuentry") == (2 if words in ((), (current,)) else 0)
    if expected:
        assert "It'\\''s an OS" in expected
        assert "\ndevicetree " in expected
