# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.bls import BootLink, EntryName, Tries
from ostrya.boot.entry import Bootable, Place, entry_name, make_entry
from ostrya.boot.kargs import KernelArguments
from ostrya.boot.kernel_set import KernelFile, KernelSet

CSUM = "3f" * 32
OVERLAY = "9c" * 32
KERNEL = KernelSet(
    "usr/lib/modules/6.1",
    CSUM,
    KernelFile("vmlinuz", "vmlinuz-6.1"),
    KernelFile("initramfs.img", "initramfs-6.1.img"),
)
WHAT = Bootable(
    "X OS",
    BootLink(1, "os", CSUM, 0),
    KERNEL,
    KernelArguments.parse("root=x ostree=/old quiet"),
    "ostree/deploy/os/deploy/5c.0",
)
FOLDER = f"/ostree/os-{CSUM}"


def test_the_usual():
    assert make_entry(WHAT, Place(0, 2)).to_text() == (
        f"title X OS (ostree:0)\nversion 2\n"
        f"options root=x ostree=/ostree/boot.1/os/{CSUM}/0 quiet\n"
        f"linux {FOLDER}/vmlinuz-6.1\ninitrd {FOLDER}/initramfs-6.1.img\n"
    )


def test_with_a_prefix_and_overlays():
    entry = make_entry(WHAT._replace(overlay_initrds=(OVERLAY,)), Place(0, 1), prefix="/boot")
    assert entry.fields["linux"] == f"/boot{FOLDER}/vmlinuz-6.1"
    assert entry.overlay_initrds == (f"/boot/ostree/initramfs-overlays/{OVERLAY}.img",)


def test_without_a_ramdisk():
    what = WHAT._replace(kernel=KERNEL._replace(initramfs=None), overlay_initrds=(OVERLAY,))
    entry = make_entry(what, Place(0, 1))
    assert entry.kargs.last_value("init") == (
        f"/ostree/boot.1/os/{CSUM}/0/usr/lib/ostree/ostree-prepare-root"
    )
    assert "initrd" not in entry.fields
    assert entry.overlay_initrds == ()


def test_a_ramdisk_again():
    without = WHAT._replace(kernel=KERNEL._replace(initramfs=None))
    kargs = make_entry(without, Place(0, 1)).kargs
    assert kargs.has("init")
    # Even if it leads through links that are gone.
    assert not make_entry(WHAT._replace(kargs=kargs), Place(0, 1)).kargs.has("init")


@pytest.mark.parametrize(
    "own", ["init=/sbin/mine", "init", "init=", "init=/usr/lib/ostree/ostree-prepare-root"]
)
def test_what_somebody_has_set_stays(own):
    kargs = KernelArguments.parse(f"{own} quiet")
    entry = make_entry(WHAT._replace(kargs=kargs), Place(0, 1))
    assert str(entry.kargs).startswith(f"{own} quiet ostree=")


def test_device_trees_and_android():
    kernel = KERNEL._replace(
        devicetree=KernelFile("devicetree", "devicetree-6.1"),
        aboot=KernelFile("aboot.img", "aboot-6.1.img"),
    )
    fields = make_entry(WHAT._replace(kernel=kernel), Place(0, 1)).fields
    assert fields["devicetree"] == f"{FOLDER}/devicetree-6.1"
    assert fields["aboot"] == f"{FOLDER}/aboot-6.1.img"
    assert fields["abootcfg"] == "/ostree/deploy/os/deploy/5c.0/usr/lib/ostree-boot/aboot.cfg"
    kernel = KERNEL._replace(dtb_dir="dtb")
    assert make_entry(WHAT._replace(kernel=kernel), Place(0, 1)).fields["fdtdir"] == f"{FOLDER}/dtb"


def test_other_fields():
    what = WHAT._replace(extra_fields={"x-tuned": "1", "fdtdir": "/old", "grub_users": "old"})
    others = {"grub_users": "$superusers"}
    default = make_entry(what, Place(0, 2), others_fields=others).fields
    assert (default["x-tuned"], default["grub_users"]) == ("1", "old")
    assert "fdtdir" not in default
    second = make_entry(what, Place(1, 2), others_fields=others).fields
    assert second["grub_users"] == "$superusers"


def test_titles():
    assert make_entry(WHAT, Place(1, 2)).fields["title"] == "X OS (ostree:1)"
    title = make_entry(WHAT, Place(1, 2, shows_stateroot=True)).fields["title"]
    assert title == "X OS (ostree:os:1)"


@pytest.mark.parametrize(
    ("tries", "known", "name"),
    [
        (0, None, "ostree-2.conf"),
        (3, None, "ostree-2+3.conf"),
        (3, EntryName(1), "ostree-2.conf"),
        (3, EntryName(1, None, Tries(3)), "ostree-2+3-0.conf"),
        (3, EntryName(1, "os", Tries(1, 2)), "ostree-2+1-2.conf"),
    ],
)
def test_names(tries, known, name):
    assert str(entry_name(Place(0, 2), tries=tries, known=known)) == name
    assert str(entry_name(Place(0, 2), stateroot="os")) == "ostree-2-os.conf"
