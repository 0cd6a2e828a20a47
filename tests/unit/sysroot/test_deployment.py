# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.bls import Entry
from ostrya.formats.checksum import Checksum
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.paths import DeploymentName

NAME = DeploymentName(Checksum("5c" * 32), 3)
OVERLAY = "9c" * 32


def test_what_follows_from_the_entry():
    entry = Entry.parse(
        f"options root=x ostree=/ostree/boot.0/os/3f/0 quiet\nlinux /x\ninitrd /y\n"
        f"initrd /ostree/initramfs-overlays/{OVERLAY}.img\n"
    )
    found = Deployment("os", NAME, "3f", 0, entry)
    assert str(found.kargs) == "root=x quiet"
    assert found.overlay_initrds == (OVERLAY,)
    assert found.checksum == NAME.checksum
    assert found.path == f"ostree/deploy/os/deploy/{NAME}"


def test_before_it_has_an_entry():
    found = Deployment("os", NAME, "3f")
    assert found.kargs is None
    assert found.overlay_initrds == ()
    assert not found.pinned


def test_which_are_the_same():
    one = Deployment("os", NAME, "3f", 0)
    assert one.is_same(one._replace(bootserial=1, booted=True))
    assert not one.is_same(one._replace(stateroot="other"))
    assert not one.is_same(one._replace(name=NAME._replace(serial=4)))
    assert one._replace(origin=Origin.following("x").with_pinned(pinned=True)).pinned
