# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.backends.syslinux import make_syslinux
from ostrya.boot.bls import Entry
from ostrya.boot.errors import EntryInvalid

ENTRY = Entry(
    {"title": "T (ostree:0)", "linux": "/ostree/k", "initrd": "/ostree/i", "options": "a"}
)
OURS = "LABEL T (ostree:0)\n\tKERNEL /boot/ostree/k\n\tINITRD /boot/ostree/i\n\tAPPEND a\n"
THEIRS = "LABEL Memory test\n\tKERNEL /memtest\n"


def test_from_nothing():
    assert make_syslinux("", [ENTRY]) == f"DEFAULT T (ostree:0)\n{OURS}"


def test_again_it_is_the_same():
    text = make_syslinux(f"TIMEOUT 5\n{THEIRS}", [ENTRY])
    assert text == f"TIMEOUT 5\n{THEIRS}\nDEFAULT T (ostree:0)\n{OURS}"
    assert sorted(make_syslinux(text, [ENTRY]).split("\n")) == sorted(text.split("\n"))


@pytest.mark.parametrize(
    "old",
    ["DEFAULT T (ostree:1)\n", "DEFAULT ostree:x\n", "LABEL O\n\tKERNEL /ostree/old\n\tAPPEND z\n"],
)
def test_what_was_ours_is_made_anew(old):
    assert make_syslinux(old, [ENTRY]) == f"DEFAULT T (ostree:0)\n{OURS}"


def test_a_default_of_somebody_else_stays():
    assert make_syslinux(f"DEFAULT Memory test\n{THEIRS}", [ENTRY]) == (
        f"DEFAULT Memory test\n{THEIRS}\n{OURS}"
    )


def test_other_keys():
    entry = Entry({"linux": "/boot/ostree/k", "devicetree": "/boot/ostree/d"})
    assert make_syslinux("", [entry], prefix="") == (
        "DEFAULT (Untitled)\nLABEL (Untitled)\n\tKERNEL /boot/ostree/k\n"
        "\tDEVICETREE /boot/ostree/d\n"
    )


@pytest.mark.parametrize("old", ["LABEL x", "LABEL x\n\tAPPEND y\nTIMEOUT 5\n"])
def test_labels_without_a_kernel(old):
    with pytest.raises(EntryInvalid, match="No KERNEL argument found after LABEL"):
        make_syslinux(old, [ENTRY])
