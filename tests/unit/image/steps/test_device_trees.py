# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.steps.device_trees import (
    DeviceTreeWishes,
    find_board_files,
    find_device_trees,
    keep_boot_files,
    place_device_trees,
)

KVER = "6.1.0"
DTB = f"usr/lib/modules/{KVER}/dtb"
DEBIAN = f"usr/lib/linux-image-{KVER}"


@pytest.fixture
def tree(editor):
    for path in (
        "boot/a.dtb",
        "boot/devicetree/b.dtb",
        f"boot/dtbs/{KVER}/overlays/c.dtbo",
        f"{DEBIAN}/broadcom/d.dtb",
        f"{DEBIAN}/broadcom/e.dtb",
        f"{DEBIAN}/qcom/f.dtb",
    ):
        editor.write(path, path.encode())
    return editor


def test_those_in_boot_come_along(tree, report):
    place_device_trees(tree, report, KVER, DeviceTreeWishes())
    assert list(tree.files_below(DTB)) == [
        f"{DTB}/{n}" for n in ("a.dtb", "b.dtb", "overlays/c.dtbo")
    ]
    assert [one.code for one in report.decisions] == ["devicetree.moved", "devicetree.left"]


@pytest.mark.parametrize(
    ("pattern", "count"), [("broadcom/*", 2), ("d.dtb", 1), ("broadcom/e.dtb", 1), ("*", 3)]
)
def test_those_of_debian_if_they_are_asked_for(tree, report, pattern, count):
    place_device_trees(tree, report, KVER, DeviceTreeWishes((pattern,)))
    assert len(list(tree.files_below(DTB))) == 3 + count
    assert len(list(tree.files_below(DEBIAN))) == 3 - count
    place_device_trees(tree, report, KVER, DeviceTreeWishes((pattern,)))
    assert report.conflicts == []


def test_one_for_every_boot(tree, report):
    place_device_trees(tree, report, KVER, DeviceTreeWishes(single="broadcom/d.dtb"))
    assert tree.read(f"usr/lib/modules/{KVER}/devicetree") == f"{DEBIAN}/broadcom/d.dtb".encode()
    assert tree.is_file(f"{DEBIAN}/broadcom/d.dtb")


def test_what_is_not_there_is_in_the_way(tree, report):
    place_device_trees(tree, report, KVER, DeviceTreeWishes(("x*.dtb",), "y.dtb"))
    assert [one.sentence for one in report.conflicts] == [
        "there is no device tree x*.dtb",
        "there is no device tree y.dtb",
    ]


def test_all_that_there_are(tree):
    names = [one.name for one in find_device_trees(tree, KVER)]
    assert names == [
        "a.dtb",
        "b.dtb",
        "broadcom/d.dtb",
        "broadcom/e.dtb",
        "overlays/c.dtbo",
        "qcom/f.dtb",
    ]


def test_files_that_a_board_needs(editor, report):
    for path in ("boot/MLO", "boot/overlays/x.dtbo", "boot/other", "usr/lib/u-boot/rpi/u-boot.bin"):
        editor.write(path, path.encode())
    assert [one.path for one in find_board_files(editor, ["MLO"])] == ["boot/MLO"]
    keep_boot_files(editor, report, ("MLO", "overlays/*"))
    assert [one.path for one in find_board_files(editor, ["MLO", "overlays/*"])] == [
        "usr/lib/ostrya/boot/MLO",
        "usr/lib/ostrya/boot/overlays/x.dtbo",
    ]
    assert editor.names("boot") == ["other", "overlays"]
    (found,) = find_board_files(editor, ["/usr/lib/u-boot/*/u-boot.bin"])
    assert found == ("usr/lib/u-boot/rpi/u-boot.bin", "u-boot.bin")
    with pytest.raises(SourceError, match=r"has no start4\*\.elf"):
        find_board_files(editor, ["start4*.elf"])


def test_files_of_boot_that_are_not_there(editor, report):
    keep_boot_files(editor, report, ("MLO",))
    assert report.conflicts[0].sentence == "there is no /boot/MLO"
