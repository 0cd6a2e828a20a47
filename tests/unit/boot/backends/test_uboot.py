# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.backends.uboot import fallback_lines, lines_of_tree, make_uenv
from ostrya.boot.bls import Entry

FULL = Entry(
    {"linux": "/k", "initrd": "/i", "devicetree": "/d", "fdtdir": "/f", "options": "a b"}, ("/o",)
)


def test_every_key():
    assert make_uenv([FULL], None) == (
        "kernel_image=/boot/k\nramdisk_image=/boot/i\nfdt_file=/boot/d\nfdtdir=/boot/f\n"
        "bootargs=a b\n"
    )


def test_several():
    text = make_uenv(
        [Entry({"linux": "/1", "options": "x"}), FULL, Entry({"linux": "/3"})], "own=1"
    )
    assert text == (
        "kernel_image=/boot/1\nbootargs=x\nown=1\n"
        "kernel_image2=/boot/k\nramdisk_image2=/boot/i\nfdt_file2=/boot/d\nfdtdir2=/boot/f\n"
        "bootargs2=a b\nkernel_image3=/boot/3\n"
    )


def test_none():
    assert make_uenv([], None) == ""


def test_a_backslash_does_not_take_the_next_line_along():
    entries = [Entry({"linux": "/1", "options": "a=\\"}), Entry({"linux": "/2"})]
    assert import_text(make_uenv(entries, None)) == {
        "kernel_image": "/boot/1",
        "bootargs": "a=\\",
        "kernel_image2": "/boot/2",
    }


HOSTILE = (
    "load=own\nkernel_image2=/bad\n fdt_file2=/bad\nfdt_overlays2=/bad\ndep_trial=0\nbootargs=bad\n"
    "fdtdir2\nend=\0\nfdt_overlays=/o\nlast=\\"
)


def test_what_a_tree_has_no_say_in():
    """It can neither change nor cut off what is said of the fallback."""
    entries = [Entry({"linux": "/1", "options": "x"}), Entry({"linux": "/2"})]
    assert import_text(make_uenv(entries, lines_of_tree(HOSTILE))) == {
        "kernel_image": "/boot/1",
        "bootargs": "x",
        "load": "own",
        "fdt_overlays": "/o",
        "kernel_image2": "/boot/2",
    }


def test_of_the_fallback_only_what_the_script_knows():
    assert fallback_lines(HOSTILE, ("fdt_overlays", "fdtfile")) == ["fdt_overlays2=/o"]


def import_text(text):
    """Read it as U-Boot does: ``env import -t``."""
    found, at = {}, 0
    while at < len(text) and text[at] != "\0":
        value = ""
        while at < len(text) and text[at] != "\n":
            at += text[at] == "\\"
            value += text[at]
            at += 1
        at += 1
        name, equals, value = value.lstrip(" \t").partition("=")
        if equals:
            found[name] = value
        else:
            found.pop(name, None)
    return found
