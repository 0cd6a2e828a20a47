# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.bls import BootLink, Entry, EntryName, Tries, version_key
from ostrya.boot.errors import EntryInvalid

CSUM = "3f" * 32
TEXT = f"""\
title Example OS 2.0 (ostree:0)
version 2
options root=LABEL=a ostree=/ostree/boot.0/os/{CSUM}/1
devicetree /ostree/os-{CSUM}/devicetree
linux /ostree/os-{CSUM}/vmlinuz-6.1.0
initrd /ostree/os-{CSUM}/initramfs-6.1.0.img
initrd /ostree/initramfs-overlays/9c.img
initrd /ostree/initramfs-overlays/9d.img
fdtdir /ostree/os-{CSUM}/dtb
grub_users $superusers
"""


def test_what_is_read_is_written():
    entry = Entry.parse(TEXT)
    assert entry.to_text() == TEXT
    assert entry.overlay_initrds == (
        "/ostree/initramfs-overlays/9c.img",
        "/ostree/initramfs-overlays/9d.img",
    )
    assert entry.fields["initrd"].endswith("initramfs-6.1.0.img")
    assert entry.boot_link == BootLink(0, "os", CSUM, 1)
    assert entry.kargs.last_value("root") == "LABEL=a"
    assert entry.extra_fields == {
        "fdtdir": f"/ostree/os-{CSUM}/dtb",
        "grub_users": "$superusers",
    }


def test_lines_of_other_hands():
    entry = Entry.parse("# a comment\n\ntitle\tOne\n 9 x\nlonely\nlinux  /two spaces\nversion 1")
    assert entry.fields == {"title": "One", "linux": " /two spaces", "version": "1"}
    assert entry.boot_link is None
    assert Entry.parse("options ostree=/elsewhere").kargs.has("ostree")
    with pytest.raises(EntryInvalid, match="'/elsewhere'"):
        assert Entry.parse("options ostree=/elsewhere").boot_link


@pytest.mark.parametrize(
    "entry",
    [
        Entry({"title": "two\nlines"}),
        Entry({"two words": "x"}),
        Entry({"": "x"}),
        Entry({"#": "x"}),
        Entry({"linux": "/x"}, ("/overlay",)),
    ],
)
def test_what_cannot_be_written(entry):
    with pytest.raises(EntryInvalid):
        entry.to_text()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ostree-1.conf", EntryName(1)),
        ("ostree-12-os.conf", EntryName(12, "os")),
        ("ostree-2-fedora-iot.conf", EntryName(2, "fedora-iot")),
        ("ostree-2+3.conf", EntryName(2, None, Tries(3))),
        ("ostree-2+3-0.conf", EntryName(2, None, Tries(3, 0))),
        ("ostree-2-os+0-5.conf", EntryName(2, "os", Tries(0, 5))),
    ],
)
def test_names(text, name):
    assert EntryName.parse(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    ("text", "tries"),
    [
        ("ostree-2+.conf", None),
        ("ostree-2+x.conf", None),
        ("ostree-2+3-x.conf", Tries(3)),
        (f"ostree-2+{2**64}.conf", None),
        (f"ostree-2+1-{2**64}.conf", None),
    ],
)
def test_counters_that_are_none(text, tries):
    name = EntryName.parse(text)
    assert name is not None
    assert name.tries == tries


@pytest.mark.parametrize("text", ["ostree-.conf", "ostree-x.conf", "other.conf", "ostree-1.conf~"])
def test_names_of_others(text):
    assert EntryName.parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/ostree/boot.2/os/x/0",
        "/ostree/boot.0/os/x/",
        "/ostree/boot.0/os/x/a",
        "/ostree/boot.0/o/s/x/0",
        "/ostree/boot.0//x/0",
        "x/ostree/boot.0/os/x/0",
    ],
)
def test_links_that_are_none(text):
    with pytest.raises(EntryInvalid):
        BootLink.parse(text)


def test_links():
    text = f"/ostree/boot.1/os/{CSUM}/12"
    assert str(BootLink.parse(text)) == text


def test_order_of_versions():
    versions = ["1", "2", "10", "11", "a", "a2", "a10"]
    assert sorted(set(versions), key=version_key) == ["1", "2", "10", "11", "a", "a2", "a10"]


@pytest.mark.parametrize("version", ["²", "9" * 5000, "1.²", "", "-"])
def test_versions_that_are_no_numbers(version):
    """Whatever somebody wrote there, entries have an order."""
    assert version_key(version) <= version_key(version)
    sorted(["2", version, "10", "a"], key=version_key)


@pytest.mark.parametrize("serial", ["9" * 10, "9" * 5000, "²"])
def test_serials_that_are_none(serial):
    with pytest.raises(EntryInvalid):
        BootLink.parse(f"/ostree/boot.0/os/{'3f' * 32}/{serial}")
