# SPDX-License-Identifier: Apache-2.0
"""GRUB menu entries of Debian's ostree, and ours for the same boot entries; GRUB reads them."""

from __future__ import annotations

import os

import pytest

from ostrya._linux.process import run
from ostrya.boot.backends.grub2 import Mkconfig, make_grub_cfg, make_menu
from ostrya.boot.bls import Entry
from support.command_machines import Machine
from support.commands import PEER, Command, have

VARIABLES = {
    "GRUB2_BOOT_DEVICE_ID": "simple-it's",
    "GRUB2_PREPARE_ROOT_CACHE": "\tinsmod part_gpt\n\tset root='hd0,gpt2'",
}


@pytest.mark.peer
@pytest.mark.root
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


@pytest.mark.parametrize(
    "options",
    [
        "root=LABEL=root quiet ostree=/ostree/boot.0/os/3f/0",
        'dyndbg="file a.c +p; file b.c +p" x="a',
        "a=$b c=it's d={ e=} f=`g` h=(i) j=k;l m=n|o p=q&r s=t\\ u=<v> #w",
    ],
)
@pytest.mark.parametrize("finds_disk", [False, True])
def test_grub_can_read_it(tmp_path, options, finds_disk):
    if not have("grub-script-check"):
        pytest.skip("grub-script-check is not installed")
    fields = {"title": "It's; an {OS} $x", "linux": "/k", "initrd": "/i", "options": options}
    entries = [Entry(fields, ("/o",)), Entry({"linux": "/k", "devicetree": "/d"})]
    path = tmp_path / "grub.cfg"
    path.write_text(make_grub_cfg(entries, prefix="/boot", finds_disk=finds_disk))
    run(["grub-script-check", str(path)])
    fields["options"] = "root=LABEL=root"
    path.write_text(make_menu([Entry(fields)], Mkconfig("id", "insmod ext2")))
    run(["grub-script-check", str(path)])
