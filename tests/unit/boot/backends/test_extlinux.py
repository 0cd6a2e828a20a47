# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.backends.extlinux import make_extlinux
from ostrya.boot.bls import Entry
from ostrya.boot.errors import EntryInvalid

FULL = Entry({"title": "T 1", "linux": "/k", "initrd": "/i", "devicetree": "/d", "options": "a b"})


def test_every_key():
    assert make_extlinux([FULL]).splitlines()[1:] == [
        "default ostrya-0", "timeout 20", "label ostrya-0", "\tmenu label T 1",
        "\tkernel /boot/k", "\tinitrd /boot/i", "\tfdt /boot/d", "\tappend a b",
    ]  # fmt: skip


def test_several():
    text = make_extlinux([FULL, Entry({"linux": "/l", "fdtdir": "/f"})], prefix="")
    assert "fallback ostrya-1\n" in text
    assert text.endswith("label ostrya-1\n\tmenu label (Untitled)\n\tkernel /l\n\tfdtdir /f\n")


def test_none():
    assert make_extlinux([]).count("\n") == 1
    with pytest.raises(EntryInvalid):
        make_extlinux([Entry({})])
