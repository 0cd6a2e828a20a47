# SPDX-License-Identifier: Apache-2.0
"""Our ostree-prepare-root in a mount namespace: what libostree's test of its own one checks, and more."""

from __future__ import annotations

import os

import pytest

from ostrya.formats.gvariant.decode import decode_variant
from support import mounts, ramdisk_world
from support.ramdisk_world import CSUM, LINK, TREE, World

pytestmark = pytest.mark.root

LOOK = """
cd {root}
for file in in_root usr/in_usr etc/in_etc etc/in_usr_etc var/in_var boot/in_boot sysroot/on_disk; do
    [ -e $file ] && echo has $file
done
for place in . usr etc var boot sysroot; do
    busybox touch $place/.written 2>/dev/null && echo writes $place
done
true
"""
BOTH = {"has in_root", "has usr/in_usr", "has etc/in_etc", "has var/in_var", "has boot/in_boot", "has sysroot/on_disk"}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    if reason := ramdisk_world.missing():
        pytest.skip(reason)
    return World(tmp_path)


def look(world, *, no_ramdisk=False) -> set[str]:
    done = world.run(LOOK.format(root="/" if no_ramdisk else "/sysroot"), no_ramdisk=no_ramdisk)
    assert done.status == 0, done.err
    return set(done.lines())


def test_with_a_ramdisk(world):
    assert look(world) == BOTH | {
        f"writes {name}" for name in (".", "etc", "var", "boot", "sysroot")
    }


def test_without_one_the_deployment_becomes_the_root(world):
    found = look(world, no_ramdisk=True)
    assert found == BOTH | {f"writes {name}" for name in (".", "etc", "var", "boot", "sysroot")}


@pytest.mark.parametrize("no_ramdisk", [False, True], ids=["ramdisk", "none"])
def test_a_hotfix_is_a_layer_over_usr(world, no_ramdisk):
    if reason := mounts.missing("overlayfs"):
        pytest.skip(reason)
    (world.tree / ".usr-ovl-upper").mkdir()
    (world.tree / ".usr-ovl-work").mkdir()
    assert {"has usr/in_usr", "writes usr"} <= look(world, no_ramdisk=no_ramdisk)
    assert (world.tree / ".usr-ovl-upper/.written").exists()
    assert not (world.tree / "usr/.written").exists()


def test_the_note_says_which_deployment_it_is(world):
    world.conf("[sysroot]\nreadonly=true\n")
    done = world.run(
        'busybox hexdump -v -e "1/1 \\"%02x\\"" /run/ostree-booted; echo; ls -A /run/ostree'
    )
    note = decode_variant("a{sv}", bytes.fromhex(done.lines()[0]), byteorder="little")
    found = os.stat(world.tree)
    assert note.lookup("backing-root-device-inode", "(tt)") == (found.st_dev, found.st_ino)
    assert note.lookup("sysroot-ro", "b") is True


def test_a_read_only_sysroot(world):
    world.conf("[sysroot]\nreadonly=true\n")
    found = look(world)
    assert "writes sysroot" not in found
    assert {"writes etc", "writes var", "writes boot"} <= found


def test_the_repository_says_it_too(world):
    with (world.disk / "ostree/repo/config").open("a") as stream:
        stream.write("[sysroot]\nreadonly=true\n")
    assert "writes sysroot" not in look(world)


def test_a_transient_etc_begins_as_the_tree_has_it(world):
    if reason := mounts.missing("overlayfs"):
        pytest.skip(reason)
    world.conf("[etc]\ntransient=true\n")
    found = look(world)
    assert {"has etc/in_usr_etc", "writes etc"} <= found
    assert "has etc/in_etc" not in found
    assert not (world.tree / "usr/etc/.written").exists()
    assert "writes usr" not in found


@pytest.mark.parametrize("key", ["transient", "transient-ro"])
def test_a_transient_root(world, key):
    if reason := mounts.missing("overlayfs"):
        pytest.skip(reason)
    world.conf(f"[root]\n{key}=true\n")
    found = look(world)
    upper = world.disk / f"ostree/deploy/os/backing/{CSUM}.0/root-transient/upper"
    if key == "transient":
        assert {"writes .", "writes usr", "writes etc"} <= found
        assert (upper / "usr/.written").exists()
    else:
        assert not {"writes .", "writes usr", "writes etc"} & found
        assert upper.is_dir()
    assert "writes var" in found
    assert not (world.tree / ".written").exists()
    assert not (world.tree / "usr/.written").exists()


def test_what_fstab_mounts_is_left_to_it(world):
    (world.tree / "etc/fstab").write_text(
        "# LABEL=x /var\nLABEL=data /var ext4 defaults 0 0\n/dev/x  /boot/ vfat ro\n"
    )
    found = look(world)
    assert "has var/in_var" not in found
    assert "has boot/in_boot" not in found


def test_a_boot_of_its_own_is_not_covered(world):
    (world.disk / "boot/loader").unlink()
    (world.disk / "boot/loader").mkdir()
    assert "has boot/in_boot" not in look(world)


REASONS = {
    "no ostree=": lambda w: setattr(w, "cmdline", "quiet"),
    "no such link": lambda w: setattr(w, "cmdline", "ostree=/ostree/boot.0/os/x/0"),
    "no link": lambda w: setattr(w, "cmdline", f"ostree=/{TREE}"),
    "missing": lambda w: w.tree.rename(w.tree.parent / "elsewhere"),
    "outside": lambda w: (w.disk / LINK[1:]).unlink() or (w.disk / LINK[1:]).symlink_to("/etc"),
    "above": lambda w: (w.disk / LINK[1:]).unlink() or (w.disk / LINK[1:]).symlink_to("../" * 9 + "etc"),
    "no deployment": lambda w: (w.disk / LINK[1:]).unlink() or (w.disk / LINK[1:]).symlink_to("../../../../boot"),
    "no usr": lambda w: (w.tree / "usr").rename(w.tree / "user"),
    "no sysroot": lambda w: (w.tree / "sysroot").rmdir(),
    "no image": lambda w: w.conf("[composefs]\nenabled=yes\n"),
    "signed": lambda w: w.conf("[composefs]\nenabled=signed\n"),
}  # fmt: skip
SENTENCES = {
    "no ostree=": "no ostree= on the kernel's command line",
    "no such link": "ostree=/ostree/boot.0/os/x/0: there is no such link on the disk",
    "no link": f"ostree=/{TREE} is not a symbolic link",
    "missing": f"ostree={LINK}: its deployment is missing",
    "outside": f"ostree={LINK} leads to /etc, which is no deployment",
    "above": f"ostree={LINK} leads to /etc, which is no deployment",
    "no deployment": f"ostree={LINK} leads to /sysroot/boot, which is no deployment",
    "no usr": f"/sysroot/{TREE} has no /usr",
    "no sysroot": f"/sysroot/{TREE} has no directory /sysroot",
    "no image": f"composefs: there is no .ostree.cfs in /sysroot/{TREE}",
    "signed": "composefs.enabled=signed: this ramdisk cannot check images",
}


@pytest.mark.parametrize("what", REASONS)
def test_it_says_why_not(world, what):
    REASONS[what](world)
    done = world.run()
    assert done.status == 9
    assert done.err == f"ostrya: {SENTENCES[what]}\n"


def test_composefs_may_be_done_without(world):
    world.conf("[composefs]\nenabled=maybe\n")
    done = world.run("echo > /sysroot/usr/x || echo read-only")
    assert done.lines()[0].startswith("ostrya: no composefs: there is no .ostree.cfs")
    assert "read-only" in done.lines()
