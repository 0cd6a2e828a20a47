# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import ConversionError
from ostrya.image.steps.kernel import (
    choose_kernel,
    empty_boot,
    find_kernels,
    place_kernel,
    version_of_image,
)

M = "usr/lib/modules"


def bz_image(version: str) -> bytes:
    data = bytearray(0x1000)
    data[0x202:0x206] = b"HdrS"
    data[0x20E:0x210] = (0x800).to_bytes(2, "little")
    data[0xA00 : 0xA00 + len(version) + 1] = version.encode() + b"\0"
    return bytes(data)


@pytest.mark.parametrize(
    "name", ["vmlinuz", "vmlinux", "Image", "zImage", "bzImage", "uImage", "fitImage", "Image.gz"]
)
def test_wherever_it_is(editor, report, name):
    editor.write(f"boot/{name}-6.1.0", b"kernel")
    editor.link(f"boot/{name}", f"{name}-6.1.0")
    editor.write(f"{M}/6.1.0/modules.dep", b"")
    assert place_kernel(editor, report, "") == "6.1.0"
    assert editor.read(f"{M}/6.1.0/vmlinuz") == b"kernel"
    assert report.decisions[0].code == "kernel.moved"
    empty_boot(editor, report)
    assert editor.names("boot") == []


def test_two_of_them(editor, report):
    for kver in ("6.1.9", "6.1.10"):
        editor.write(f"boot/vmlinuz-{kver}", kver.encode())
        editor.write(f"{M}/{kver}/kernel/x.ko", b"")
    assert place_kernel(editor, report, "") == ""
    assert report.conflicts[0].sentence.endswith("2 kernels: 6.1.9, 6.1.10")
    assert "newest" in report.hints[0]
    assert place_kernel(editor, report, "newest") == "6.1.10"
    assert "kernel.bare" not in {one.code for one in report.decisions}
    assert editor.names(M) == ["6.1.10"]


def test_the_one_that_is_named(editor, report):
    for kver in ("5.0", "6.0"):
        editor.write(f"{M}/{kver}/vmlinuz", kver.encode())
    assert place_kernel(editor, report, "7.0") == ""
    assert report.hints == ["there is: 5.0, 6.0"]
    assert place_kernel(editor, report, "5.0") == "5.0"
    assert "kernel.bare" in {one.code for one in report.decisions}
    assert editor.names(M) == ["5.0"]


def test_modules_without_a_kernel_stay(editor, report):
    editor.write("boot/vmlinuz-6.0", b"k")
    editor.write(f"{M}/6.0/modules.dep", b"")
    editor.write(f"{M}/5.0/kernel/x.ko", b"")
    place_kernel(editor, report, "")
    assert editor.names(M) == ["5.0", "6.0"]


def test_a_kernel_without_modules_says_its_version_itself(editor, report):
    editor.write("boot/bzImage", bz_image("6.6.1-rt5 (who@where) #1"))
    assert place_kernel(editor, report, "") == "6.6.1-rt5"
    assert editor.is_file(f"{M}/6.6.1-rt5/vmlinuz")


def test_or_by_its_name(editor, report):
    editor.write("boot/zImage-5.4.1", b"compressed")
    editor.write("boot/config-5.4.1", b"CONFIG_X=y\n")
    assert place_kernel(editor, report, "") == "5.4.1"
    assert editor.is_file(f"{M}/5.4.1/config")


def test_or_whoever_made_it_says_so(editor, report):
    editor.write("boot/zImage", b"compressed")
    assert place_kernel(editor, report, "") == ""
    assert place_kernel(editor, report, "5.4.2") == "5.4.2"


def test_no_kernel(editor, report):
    editor.make_dir("usr")
    assert place_kernel(editor, report, "newest") == ""
    assert "no kernel with its modules" in report.conflicts[0].sentence


def test_versions_in_images():
    assert version_of_image(bz_image("6.1.0-1-amd64 (x)")) == "6.1.0-1-amd64"
    assert version_of_image(b"\0" * 100 + b"Linux version 6.1.2-v8+ (gcc) #1") == "6.1.2-v8+"
    assert version_of_image(b"MZ" + bytes(100)) == ""
    assert version_of_image(bz_image("../../etc")) == ""


def test_choosing_needs_no_tree(editor):
    with pytest.raises(ConversionError):
        choose_kernel({}, "")
    assert choose_kernel({"6.1.9": "a", "6.1.10": "b"}, "newest") == "6.1.10"
    assert find_kernels(editor) == {}


def test_a_fit_is_told(editor, report):
    editor.write("boot/fitImage-6.1.0", b"\xd0\x0d\xfe\xed rest")
    place_kernel(editor, report, "")
    assert [one.code for one in report.decisions] == ["kernel.moved", "kernel.fit", "kernel.bare"]
