# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest

from ostrya.errors import OstryaError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.deletion import delete_object
from ostrya.repo.partial import mark_partial
from ostrya.sysroot.commit_needs import (
    Missing,
    file_bytes,
    kernel_files,
    missing_files,
    read_sizes,
    refusals,
)
from ostrya.sysroot.deploy import DeployWish, prepare_deployment
from ostrya.tree.lookup import commit_root, resolve_path
from support import os_tree
from support.machines import write

MODULES = f"usr/lib/modules/{os_tree.KERNEL}"


def lose(repo, checksum, *paths):
    for path in paths:
        entry = resolve_path(repo, commit_root(repo, checksum), path)
        delete_object(repo, ObjectName(entry.checksum, ObjectType.FILE))
    mark_partial(repo, checksum)


def paths_of(machine, checksum, *paths, repo=None):
    repo = repo or machine.sysroot.repo
    return {resolve_path(repo, commit_root(repo, checksum), path).checksum for path in paths}


@pytest.mark.parametrize("sizes", [True, False])
def test_missing_files(machine, sizes):
    # Only archives say sizes.
    repo = machine.add_vendor()
    checksum = machine.commit("1", sizes=sizes, repo=repo)
    assert missing_files(repo, checksum) == Missing(0, 0, 0)
    lose(repo, checksum, "usr/etc/default", "usr/etc/dir/file")
    found = missing_files(repo, checksum)
    assert found.files == 2
    if sizes:
        assert found.unpacked_bytes == len("default 1\ndir/file 1\n")
        assert found.fetch_bytes is not None
        assert found.fetch_bytes > 0
    else:
        assert found == Missing(2, None, None)


def test_nothing_missing_of_what_is_marked(machine):
    checksum = machine.commit("1")
    mark_partial(machine.sysroot.repo, checksum)
    assert missing_files(machine.sysroot.repo, checksum) == Missing(0, 0, 0)


def test_files_of_a_kernel(machine):
    repo = machine.sysroot.repo
    first = machine.commit("1")
    assert set(kernel_files(repo, first)) == paths_of(
        machine, first, f"{MODULES}/vmlinuz", f"{MODULES}/initramfs.img"
    )
    third = machine.commit("3")
    assert paths_of(machine, third, f"{MODULES}/dtb/vendor/board.dtb") < set(
        kernel_files(repo, third)
    )
    assert kernel_files(repo, third) != kernel_files(repo, first)

    def edit(tree):
        modules = tree / MODULES
        for name in ("devicetree", "initramfs", ".vmlinuz.hmac", "System.map"):
            (modules / name).write_text(f"{name}\n")
        write(tree / "usr/lib/modules/0-none/modules.dep", "no kernel\n")

    other = machine.commit("3", edit=edit)
    assert set(kernel_files(repo, other)) == paths_of(
        machine,
        other,
        *(
            f"{MODULES}/{name}"
            for name in ("vmlinuz", "initramfs.img", "devicetree", ".vmlinuz.hmac")
        ),
    )


def test_files_of_the_newest_kernel(machine):
    def edit(tree):
        for version in ("5.10", "5.9", "7.0", "10.0"):
            write(tree / f"usr/lib/modules/{version}/vmlinuz", f"kernel {version}\n")

    checksum = machine.commit("1", edit=edit)
    newest = paths_of(machine, checksum, "usr/lib/modules/10.0/vmlinuz")
    assert set(kernel_files(machine.sysroot.repo, checksum)) == newest


@pytest.mark.parametrize("place", ["usr/lib/ostree-boot", "boot"])
def test_files_of_a_kernel_of_old(machine, place):
    def edit(tree):
        (tree / MODULES / "vmlinuz").unlink()
        write(tree / place / f"vmlinuz-6-{'3f' * 32}", "kernel\n")
        write(tree / place / "uEnv.txt", "no kernel\n")

    checksum = machine.commit("1", edit=edit)
    found = kernel_files(machine.sysroot.repo, checksum)
    assert set(found) == paths_of(machine, checksum, f"{place}/vmlinuz-6-{'3f' * 32}")


def test_no_kernel(machine):
    def edit(tree):
        (tree / MODULES / "vmlinuz").unlink()

    assert kernel_files(machine.sysroot.repo, machine.commit("1", edit=edit)) == ()


def without_kernel(tree):
    shutil.rmtree(tree / "usr/lib/modules")


def with_two_etcs(tree):
    write(tree / "etc/x", "x")


def with_modules_elsewhere(tree):
    (tree / "usr/lib/modules").rename(tree / "usr/modules")
    (tree / "usr/lib/modules").symlink_to("../modules")


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda _tree: None, ()),
        (
            without_kernel,
            ("there is no kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot",),
        ),
        (with_two_etcs, ("the tree has both /etc and /usr/etc",)),
        (with_modules_elsewhere, ()),
    ],
)
def test_what_is_refused_is_known_before(machine, edit, found):
    checksum = machine.commit("1", edit=edit)
    assert refusals(machine.sysroot.repo, checksum) == found
    wish = DeployWish("test", checksum)
    if found:
        with pytest.raises(OstryaError):
            prepare_deployment(machine.sysroot, wish)
    else:
        prepare_deployment(machine.sysroot, wish)


def test_sizes_of_files(machine):
    repo = machine.add_vendor()
    checksum = machine.commit("1", sizes=True, repo=repo)
    (file,) = paths_of(machine, checksum, "usr/etc/default", repo=repo)
    assert file_bytes(repo, file, {}) == len("default 1\n")
    lose(repo, checksum, "usr/etc/default")
    assert file_bytes(repo, file, {}) is None
    assert file_bytes(repo, file, read_sizes(repo, checksum)) == len("default 1\n")
