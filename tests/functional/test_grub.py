# SPDX-License-Identifier: Apache-2.0
"""GRUB's configuration, from one deployment to the next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.boot.sandbox import BWRAP
from ostrya.sysroot import write_deployments as writing
from ostrya.sysroot.change import undeploy
from support.command_machines import Machine
from support.shell_trees import put_shell

pytestmark = pytest.mark.root

EFI = "boot/efi/EFI/debian/grub.cfg"
MKCONFIG = """\
#!/usr/bin/sh
# As grub-mkconfig does: where am I, and what do the scripts say?
test "$1" = -o || exit 2
exec > "$2"
echo "# $_OSTREE_GRUB2_BOOTVERSION"
for entry in /boot/loader.$_OSTREE_GRUB2_BOOTVERSION/entries/*.conf; do
    while read -r key value; do
        case $key in linux | options) echo "$key $value" ;; esac
    done < "$entry"
done
test -d /sysroot/ostree/repo && echo "# repo"
"""


def menu(path: Path) -> list[str]:
    """Which deployments a configuration boots, in its order."""
    words = path.read_text().split()
    return [word.removeprefix("ostree=") for word in words if word.startswith("ostree=")]


def trees(machine: Machine, config: str) -> list[str]:
    """The commits that a configuration boots; each of them is there."""
    found = []
    for link in menu(machine.root / config):
        tree = (machine.root / link.lstrip("/")).resolve(strict=True)
        found.append(tree.name.partition(".")[0])
    return found


def test_bios(tmp_path):
    machine = Machine(tmp_path)
    (machine.root / "boot/grub").mkdir()
    (machine.root / "boot/grub/grub.cfg").symlink_to("../loader/grub.cfg")
    first = machine.release("1")
    assert "Transaction complete; bootconfig swap: yes" in machine.deploy()
    second = machine.release("2")
    machine.deploy()
    assert trees(machine, "boot/grub/grub.cfg") == [second, first]
    machine.ours("admin", "set-default", "1")
    assert trees(machine, "boot/grub/grub.cfg") == [first, second]
    machine.ours("admin", "undeploy", "1")
    assert trees(machine, "boot/grub/grub.cfg") == [first]


def test_efi(tmp_path):
    machine = Machine(tmp_path)
    (machine.root / EFI).parent.mkdir(parents=True)
    (machine.root / EFI).write_text("old\n")
    first = machine.release("1")
    assert "Bootloader updated; bootconfig swap: yes" in machine.deploy()
    assert (machine.root / f"{EFI}.old").read_text() == "old\n"
    second = machine.release("2")
    machine.deploy()
    assert trees(machine, EFI) == [second, first]


@pytest.mark.parametrize("fails_behind", [False, True])
def test_power_fails_on_efi(tmp_path, monkeypatch, fails_behind):
    machine = Machine(tmp_path)
    (machine.root / EFI).parent.mkdir(parents=True)
    (machine.root / EFI).write_text("old\n")
    first = machine.release("1")
    machine.deploy()
    second = machine.release("2")
    machine.deploy()

    def fail(*_args: object) -> None:
        raise KeyboardInterrupt

    with machine.opened() as sysroot, monkeypatch.context() as patch:
        if fails_behind:
            patch.setattr(writing, "_after_swap", fail)
        else:
            patch.setattr(writing, "link_boot_to_itself", fail)
        with pytest.raises(KeyboardInterrupt):
            undeploy(sysroot, machine.load(), 0)
    assert trees(machine, EFI) == [second, first]
    machine.ours("admin", "cleanup")
    assert trees(machine, EFI) == ([first] if fails_behind else [second, first])
    assert machine.commits() == trees(machine, EFI)


def test_mkconfig_of_the_tree(tmp_path):
    if not os.path.exists(BWRAP):
        pytest.skip(f"{BWRAP} is not installed")
    machine = Machine(tmp_path)
    (machine.root / "boot/grub").mkdir()
    (machine.root / "boot/grub/grub.cfg").symlink_to("../loader/grub.cfg")
    machine.release("1")
    tree = tmp_path / "tree-1"
    put_shell(tree)
    for name in ("usr/sbin/grub-mkconfig", "usr/etc/grub.d/15_ostree"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(MKCONFIG)
        (tree / name).chmod(0o755)
    (tree / "etc").rmdir()
    commit = machine.ours(machine.repo, "commit", "-b", "test/os", f"--tree=dir={tree}")
    machine.deploy()
    text = (machine.root / "boot/grub/grub.cfg").read_text()
    assert text.startswith("# 1\n")
    assert text.endswith("# repo\n")
    assert trees(machine, "boot/grub/grub.cfg") == [commit]
