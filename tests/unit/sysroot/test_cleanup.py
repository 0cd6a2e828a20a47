# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SysrootError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.reader import has_object
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import list_refs
from ostrya.sysroot.cleanup import (
    clean_boot,
    clean_up,
    delete_deployment,
    list_deployment_dirs,
)
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.order import Retain
from ostrya.sysroot.paths import DeploymentName, kernel_dir
from ostrya.sysroot.sysroot import Running
from ostrya.sysroot.write_deployments import write_deployments
from support.machines import names_in, write


def has_commit(machine, checksum) -> bool:
    return has_object(machine.sysroot.repo, ObjectName(checksum, ObjectType.COMMIT))


def test_what_no_entry_leads_to(machine):
    kept = machine.deploy(machine.commit("1"))
    # As when power fails before entries are written.
    unfinished = deploy(
        machine.sysroot, machine.loaded, DeployWish("test", machine.commit("2")), None
    )
    folder = machine.root / "ostree/deploy/test/deploy"
    assert names_in(folder) == sorted([str(kept.name), f"{kept.name}.origin", str(unfinished.name)])
    (machine.root / "ostree/deploy/test/current").symlink_to("deploy/old")
    clean_up(machine.sysroot, machine.loaded)
    assert names_in(folder) == sorted([str(kept.name), f"{kept.name}.origin"])
    assert names_in(machine.root / "ostree/deploy/test/backing") == [str(kept.name)]
    assert not (machine.root / "ostree/deploy/test/current").is_symlink()


def test_objects_that_nothing_reaches(machine):
    kept = machine.deploy(machine.commit("1"))
    write_ref(machine.sysroot.repo, None, "test/os", None)
    gone = machine.commit("2", ref=None)
    named = machine.commit("3", ref="named")
    assert clean_up(machine.sysroot, machine.loaded, prune_repo=False) is None
    assert has_commit(machine, gone)
    result = clean_up(machine.sysroot, machine.loaded)
    assert result is not None
    assert result.pruned > 0
    assert [has_commit(machine, one) for one in (kept.checksum, gone, named)] == [
        True, False, True,
    ]  # fmt: skip


def test_refs_of_deployments(machine):
    first = machine.deploy(machine.commit("1"))
    second = machine.deploy(machine.commit("2"))
    loaded = machine.loaded
    prefix = f"ostree/{loaded.bootversion}/{loaded.subbootversion}"
    wanted = {f"{prefix}/0": second.checksum, f"{prefix}/1": first.checksum}
    repo = machine.sysroot.repo
    write_ref(repo, None, "ostree/0/0/7", first.checksum)
    write_ref(repo, None, "ostree/container/image", first.checksum)
    write_ref(repo, None, f"{prefix}/1", second.checksum)
    clean_up(machine.sysroot, loaded)
    found = list_refs(repo, "ostree")
    assert found.pop("ostree/container/image") == first.checksum
    assert found == wanted


def test_old_sets_of_entries_and_links(machine):
    machine.deploy(machine.commit("1"))
    machine.deploy(machine.commit("2"))
    loaded = machine.loaded
    other = 1 - loaded.bootversion
    write(machine.root / f"boot/loader.{other}/entries/ostree-1.conf", "old")
    for name in (f"boot.{other}.0", f"boot.{other}.1"):
        (machine.root / "ostree" / name).mkdir(exist_ok=True)
    (machine.root / "boot/loader.tmp").symlink_to("loader.9")
    clean_up(machine.sysroot, loaded)
    assert not (machine.root / f"boot/loader.{other}").exists()
    assert [name for name in names_in(machine.root / "ostree") if name.startswith("boot")] == [
        f"boot.{loaded.bootversion}",
        f"boot.{loaded.bootversion}.{loaded.subbootversion}",
    ]
    assert not (machine.root / "boot/loader.tmp").is_symlink()
    assert len(machine.loaded.deployments) == 2


def test_kernels(machine):
    first = machine.deploy(machine.commit("1"))
    second = machine.deploy(machine.commit("2"))
    write(machine.root / "boot/ostree/initramfs-overlays/x.img", "x")
    write(machine.root / "boot/ostree/others-own/file", "x")
    write(machine.root / "boot/ostree/file", "x")
    clean_boot(machine.sysroot, [second])
    kernels = machine.root / "boot/ostree"
    assert not (machine.root / kernel_dir("test", first.bootcsum)).exists()
    assert (machine.root / kernel_dir("test", second.bootcsum)).exists()
    assert {"file", "others-own", "initramfs-overlays"} < set(names_in(kernels))
    assert names_in(kernels / "initramfs-overlays") == []


def test_the_running_one_is_never_deleted(machine):
    first = machine.deploy(machine.commit("1"))
    machine.run(0)
    delete_deployment(machine.sysroot, "test", first.name)
    assert (machine.root / first.path).exists()


def test_directories_of_deployments(machine):
    first = machine.deploy(machine.commit("1"))
    machine.deploy(first.checksum, retain=Retain(all=True))
    found = sorted(list_deployment_dirs(machine.sysroot))
    assert found == [("test", DeploymentName(first.checksum, at)) for at in (0, 1)]
    assert list(list_deployment_dirs(machine.sysroot, "none")) == []
    (machine.root / "ostree/deploy/test/deploy/mine").mkdir()
    with pytest.raises(SysrootError, match="Invalid deploy name 'mine'"):
        list(list_deployment_dirs(machine.sysroot))


def test_boot_that_is_not_mounted(machine):
    """Then there are no entries, and all deployments would be taken for leftovers."""
    deployment = machine.deploy(machine.commit("1"))
    (machine.root / "boot").rename(machine.root / "elsewhere")
    (machine.root / "boot").mkdir()
    machine.close()
    machine.sysroot = machine.open()
    with pytest.raises(SysrootError, match="nothing in /boot that leads to them"):
        clean_up(machine.sysroot, machine.loaded)
    assert (machine.root / deployment.path / "usr").is_dir()


def test_the_running_tree_by_another_path(machine):
    """The disk of the running system, opened where it is mounted, has no running deployment."""
    old = machine.deploy(machine.commit("1"))
    machine.deploy(machine.commit("2"))
    found = (machine.root / old.path).stat()
    machine.sysroot.running = Running(kept=(found.st_dev, found.st_ino))
    loaded = machine.loaded
    assert loaded.booted is None
    write_deployments(machine.sysroot, loaded, loaded.deployments[:1])
    assert (machine.root / old.path / "usr").is_dir()


def test_what_never_got_its_name(machine):
    kept = machine.deploy(machine.commit("1"))
    name = "tmp.0123456789abcdef"
    folders = [
        machine.root / folder
        for folder in (
            "boot",
            "boot/ostree",
            "boot/loader",
            kernel_dir("test", kept.bootcsum),
            "ostree/deploy/test/deploy",
        )
    ]
    for folder in folders:
        write(folder / name, "half")
        write(folder / "tmp.conf", "somebody's")
    clean_up(machine.sysroot, machine.loaded)
    for folder in folders:
        assert [path for path in names_in(folder) if path.startswith("tmp")] == ["tmp.conf"]
