# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.backends.grub2 import Mkconfig, make_grub_cfg, make_menu
from ostrya.boot.bls import Entry
from ostrya.boot.errors import EntryInvalid

FULL = Entry(
    {"title": "It's", "linux": "/k", "initrd": "/i", "devicetree": "/d", "options": "a b"}, ("/o",)
)
CLASSES = "--class gnu-linux --class gnu --class os --unrestricted"


def test_a_part_of_a_menu():
    bare = Entry({"linux": "/1"})
    assert make_menu([FULL, bare], Mkconfig("id", "insmod ext2\nset root=x")) == (
        f"menuentry 'It'\\''s' {CLASSES} 'ostree-0-id' {{\n"
        "load_video\nset gfxpayload=keep\ninsmod gzio\ninsmod ext2\nset root=x\n"
        "linux /k a b\ninitrd /i /o\ndevicetree /d\n}\n"
        f"menuentry '(Untitled)' {CLASSES} 'ostree-1-id' {{\n"
        "load_video\nset gfxpayload=keep\ninsmod gzio\ninsmod ext2\nset root=x\n"
        "linux /1\n}\n"
    )


def test_a_whole_file():
    head, entry = make_grub_cfg([FULL], prefix="/boot", finds_disk=False).split("\n\n")
    assert head.endswith("set default=0\nset timeout=10")
    assert entry == (
        f"menuentry 'It'\\''s' {CLASSES} --id ostree-0 {{\n"
        "\tlinux /boot/k a b\n\tinitrd /boot/i /boot/o\n\tdevicetree /boot/d\n}\n"
    )
    assert make_grub_cfg([], prefix="", finds_disk=False) == f"{head}\n"


def test_where_the_disk_has_to_be_found():
    text = make_grub_cfg([Entry({"linux": "/k"})], prefix="/boot", finds_disk=True)
    assert "\tsearch --no-floppy --file --set=root /boot/k\n\tlinux /boot/k\n}" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("root=UUID=1-2 quiet", "root=UUID=1-2 quiet"),
        ('dyndbg="file a.c +p" x', 'dyndbg="file a.c +p" x'),
        ("a;b", "'a;b'"),
        ('x="a; b" y', "'x=a; b' y"),
        ("v=$root w=it's", "'v=$root' 'w=it'\\''s'"),
        ('open="end x', "'open=end x'"),
    ],
)
def test_what_grubs_shell_would_take_for_itself(options, words):
    entry = Entry({"linux": "/k", "options": options})
    assert f"\tlinux /k {words}\n" in make_grub_cfg([entry], prefix="", finds_disk=False)


def test_without_a_kernel():
    with pytest.raises(EntryInvalid, match='No "linux" key in bootloader config'):
        make_menu([Entry({})], Mkconfig("", ""))
