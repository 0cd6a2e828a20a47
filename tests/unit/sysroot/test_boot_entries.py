# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hashlib import sha256

import pytest

from ostrya.boot.bls import EntryName
from ostrya.boot.entry import Place
from ostrya.boot.errors import KernelNotFound
from ostrya.errors import SysrootError
from ostrya.sysroot.boot_entries import (
    Numbering,
    _make_name,
    commit_version,
    find_deployment_kernel,
    install_deployment_kernel,
    write_entry,
)
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.paths import DeploymentName
from support.machines import names_in, write


@pytest.fixture
def deployed(machine):
    return machine, machine.deploy(machine.commit("3"), kargs="root=LABEL=root quiet")


def test_an_entry_names_what_is_there(deployed):
    machine, deployment = deployed
    (text,) = machine.entries().values()
    link = f"/ostree/boot.1/test/{deployment.bootcsum}/0"
    folder = f"/ostree/test-{deployment.bootcsum}"
    assert text == (
        "title Test OS 3 (ostree:0)\nversion 1\n"
        f"options root=LABEL=root quiet ostree={link}\n"
        f"linux {folder}/vmlinuz-6.1.0-test\ninitrd {folder}/initramfs-6.1.0-test.img\n"
        f"fdtdir {folder}/dtb\n"
    )
    assert (machine.root / f"boot{folder}/dtb/vendor/board.dtb").exists()
    assert (machine.root / link[1:] / "usr").is_dir()


def test_numbers_go_on_where_entries_come_one_by_one(deployed):
    machine, deployment = deployed
    (machine.root / "boot/elsewhere").mkdir()
    written = write_entry(machine.sysroot, [deployment], 0, Numbering(1, base=7), "boot/elsewhere")
    assert str(written.entry_name) == "ostree-8.conf"
    assert "version 8\n" in (machine.root / "boot/elsewhere/ostree-8.conf").read_text()


def test_settings_of_the_sysroot(machine):
    machine.configure("sysroot", bootprefix="true", boot_counting_tries="3")
    machine.configure("sysroot", bls_append_except_default="grub_users=admin;")
    machine.deploy(machine.commit("1"))
    machine.deploy(machine.commit("2"))
    entries = machine.entries()
    assert list(entries) == ["ostree-1+3-0.conf", "ostree-2+3.conf"]
    assert ["grub_users admin\n" in text for text in entries.values()] == [True, False]
    assert all("linux /boot/ostree/test-" in text for text in entries.values())


def test_a_tree_without_a_name(machine):
    def drop(tree):
        (tree / "usr/etc/os-release").unlink()

    with pytest.raises(SysrootError, match="Reading /etc/os-release"):
        machine.deploy(machine.commit("1", edit=drop))


@pytest.mark.parametrize("path", ["usr/etc/os-release", "usr/lib/ostree/prepare-root.conf"])
def test_a_file_that_is_too_large(machine, path):
    def grow(tree):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(b"#" * (2 << 20))

    with pytest.raises(SysrootError, match=r"has more than \d+ bytes"):
        machine.deploy(machine.commit("1", edit=grow))


def test_a_tree_without_a_kernel(deployed):
    machine, deployment = deployed
    modules = machine.root / deployment.path / "usr/lib/modules/6.1.0-test"
    for path in modules.iterdir():
        if path.is_file():
            path.unlink()
    with pytest.raises(KernelNotFound):
        find_deployment_kernel(machine.sysroot, deployment)
    with pytest.raises(KernelNotFound):
        install_deployment_kernel(machine.sysroot, deployment)


def test_the_kernel_that_a_deployment_of_another_tool_boots(machine):
    def edit(tree):
        write(tree / "usr/lib/modules/5.9/vmlinuz", "another\n")

    deployment = machine.deploy(machine.commit("1", edit=edit))
    assert find_deployment_kernel(machine.sysroot, deployment).kernel.name == "vmlinuz-6.1.0-test"
    assert machine.said[0] == (
        "2 kernels in /usr/lib/modules: 6.1.0-test, 5.9; "
        "what is booted is /usr/lib/modules/6.1.0-test/vmlinuz"
    )
    theirs = deployment._replace(bootcsum=sha256(b"another\n").hexdigest())
    kernel, _ = install_deployment_kernel(machine.sysroot, theirs)
    assert kernel.kernel.name == "vmlinuz-5.9"
    assert names_in(machine.root / f"boot/ostree/test-{theirs.bootcsum}") == ["vmlinuz-5.9"]


def test_a_ramdisk_that_is_gone(deployed):
    machine, deployment = deployed
    entry = deployment.entry._replace(overlay_initrds=(f"/{'9c' * 32}.img",))
    with pytest.raises(SysrootError, match=r"ramdisk 9c9c.*is gone"):
        write_entry(
            machine.sysroot,
            [deployment._replace(entry=entry)],
            0,
            Numbering(1),
            "boot/loader.1/entries",
        )


def test_versions(machine):
    assert commit_version(machine.sysroot.repo, machine.commit("2")) == "2"
    assert commit_version(machine.sysroot.repo, "5c" * 32) == ""
    assert names_in(machine.root / "boot") == []


@pytest.mark.parametrize(
    ("at", "tries", "known", "name"),
    [
        (1, 3, "ostree-2+0-3.conf", "ostree-1+0-3.conf"),
        (1, 3, "ostree-2+2-1.conf", "ostree-1.conf"),
        (0, 3, "ostree-1+0-3.conf", "ostree-2+3.conf"),
        (0, 3, "ostree-2+2-1.conf", "ostree-2+2-1.conf"),
        (0, 3, "ostree-1.conf", "ostree-2+3.conf"),
        (0, 0, "ostree-1+0-3.conf", "ostree-2.conf"),
    ],
)
def test_counters_on_trial_and_given_up(machine, at, tries, known, name):
    """One that was given up stays so while it is not the default, and is tried again once it is."""
    deployment = Deployment(
        "test", DeploymentName("1c" * 32, 0), "3f" * 32, entry_name=EntryName.parse(known)
    )
    assert str(_make_name(machine.sysroot, deployment, Place(at, 2), tries)) == name
