# SPDX-License-Identifier: Apache-2.0
import lzma

from ostrya.image.steps.module_index import index_modules, make_indexes
from ostrya.image.steps.module_info import ModuleInfo
from support.kernel_modules import make_module

KVER = "6.1.0"
M = f"usr/lib/modules/{KVER}"


def test_they_are_made_of_what_modules_say(editor, report):
    editor.write(f"{M}/kernel/ext4.ko", make_module("depends=jbd2", "alias=fs-ext4"))
    editor.write(f"{M}/kernel/jbd2.ko.xz", lzma.compress(make_module("softdep=pre: x")))
    editor.write(f"{M}/updates/jbd2.ko", make_module("depends="))
    editor.write(f"{M}/modules.builtin", b"kernel/lib/crc-ccitt.ko\n")
    editor.write(f"{M}/modules.symbols", b"stale")
    index_modules(editor, report, KVER)
    assert editor.read(f"{M}/modules.dep").decode() == (
        "kernel/ext4.ko: updates/jbd2.ko\nupdates/jbd2.ko:\n"
    )
    assert editor.read(f"{M}/modules.alias") == b"alias fs-ext4 ext4\n"
    assert b"crc_ccitt" not in editor.read(f"{M}/modules.dep.bin")
    assert editor.read(f"{M}/modules.builtin.bin")[:4] == b"\xb0\x07\xf4\x57"
    assert editor.find(f"{M}/modules.symbols") is None
    assert report.decisions[0].code == "modules.indexed"


def test_those_that_are_there_stay(editor, report):
    editor.write(f"{M}/kernel/a.ko", b"not looked at")
    editor.write(f"{M}/modules.dep", b"kernel/a.ko:\n")
    index_modules(editor, report, KVER)
    assert report.decisions == []


def test_those_that_name_what_is_gone_are_made_anew(editor, report):
    editor.write(f"{M}/kernel/a.ko", make_module())
    editor.write(f"{M}/modules.dep", b"kernel/a.ko:\nkernel/gone.ko:\n")
    index_modules(editor, report, KVER)
    assert editor.read(f"{M}/modules.dep") == b"kernel/a.ko:\n"


def test_a_kernel_without_modules_has_an_empty_one(editor, report):
    editor.make_dir(M)
    index_modules(editor, report, KVER)
    assert editor.read(f"{M}/modules.dep") == b""


def test_all_modules_that_are_damaged_are_told(editor, report):
    for name in ("a.ko", "b.ko.xz", "c.ko"):
        editor.write(f"{M}/kernel/{name}", b"no module" if name != "c.ko" else make_module())
    index_modules(editor, report, KVER)
    assert [one.path for one in report.conflicts] == [f"/{M}/kernel/a.ko", f"/{M}/kernel/b.ko.xz"]


def test_device_nodes_and_patterns():
    aliases = ("devname:loop-control", "char-major-10-237", "odd-[a-c]-x")
    found = make_indexes({"loop": "loop.ko"}, {"loop": ModuleInfo((), aliases, ())}, "")
    assert found["modules.devname"] == b"loop loop-control c10:237\n"
    assert b"dd_[a-c]_x\0" in found["modules.alias.bin"]
