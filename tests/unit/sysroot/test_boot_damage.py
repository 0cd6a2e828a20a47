# SPDX-License-Identifier: Apache-2.0
from ostrya.sysroot.boot_damage import boot_damage


def test_what_a_loader_needs(machine):
    deployment = machine.deploy(machine.commit("1"))
    assert boot_damage(machine.sysroot, deployment) == []
    kernel = machine.root / f"boot{deployment.entry.fields['linux']}"
    # It is a link to the one in the tree.
    kernel.unlink()
    kernel.write_bytes(b"a part of it")
    (line,) = boot_damage(machine.sysroot, deployment)
    assert "vmlinuz" in line
    assert line.endswith("is damaged")
    kernel.unlink()
    (line,) = boot_damage(machine.sysroot, deployment)
    assert line.endswith("is not there")
