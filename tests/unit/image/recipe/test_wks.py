# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.values import PartitionWant
from ostrya.image.recipe.wks import parse_wks

TEXT = """\
# short-description: a disk
part /boot --source bootimg-partition --ondisk mmcblk0 --fstype=vfat --label boot --active --size 64
part /data --ondisk mmcblk0 --fstype=ext4 --label data --align 4096 \\
    --size 512M --fsoptions="noatime,nodev"
part / --source otaimage --ondisk mmcblk0 --align 4096
part --part-name factory --fixed-size 8 --fstype=none --part-type 0fc63daf-8483-4772-8e79-3d69d8477de4
bootloader --ptable gpt
"""


def parse(text, others=None):
    files = {"x": text, **(others or {})}

    def read(path):
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return files[path]

    return parse_wks("x", read, lambda _file, name: name)


def test_partitions_beside_boot_and_root_are_taken():
    assert parse(TEXT).partitions == (
        PartitionWant("data", 512 << 20, "ext4", "data", "/data", ("noatime", "nodev")),
        PartitionWant(
            "factory", 8 << 20, "none", "factory", type="0fc63daf-8483-4772-8e79-3d69d8477de4",
            after_root=True,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include\n", "x:1: include names one file"),
        ("include nothing\n", "x:1: nothing cannot be read: No such file"),
        ("include x\n", "x:1: more than 20 files are included"),
        ("\npart /d --fstype=zfs --size 5\n", "x:2: there is no file system 'zfs'"),
        ("part /d --size big\n", "x:1: the partition has no size"),
        ("volgroup x\n", "x:1: nobody knows 'volgroup'"),
        ("part /d --label 'a\n", "x:1: no closing quotation"),
        ("part /d --size 5 --label a/b\n", "x:1: 'a/b' is no label"),
        ("part \\\n /d --size x\n", "x:2: the partition has no size"),
    ],
)
def test_what_cannot_be_had(text, said):
    with pytest.raises(RecipeError) as caught:
        parse(text)
    assert caught.value.message.startswith(said)


def test_what_is_included_and_what_the_kernel_is_told():
    found = parse(
        "include common\nbootloader --ptable=msdos --append='a b=c'\n"
        "bootloader --timeout=3 --append d\npart swap --size 256 --label swapped\n",
        {"common": "part / --source otaimage\npart /data --size 8\n"},
    )
    assert found.kernel_arguments == ("a", "b=c", "d")
    data, swap = found.partitions
    assert (data.mountpoint, data.after_root) == ("/data", True)
    assert (swap.filesystem, swap.label, swap.mountpoint) == ("swap", "swapped", "")


def test_mistakes_in_what_is_included_are_told_with_its_name():
    with pytest.raises(RecipeError) as caught:
        parse("include common\npart /d\n", {"common": "\npart /e\n"})
    assert caught.value.problems == (
        "common:2: the partition has no size; --size gives it one",
        "x:2: the partition has no size; --size gives it one",
    )
