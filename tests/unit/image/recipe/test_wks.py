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


def test_partitions_beside_boot_and_root_are_taken():
    assert parse_wks(TEXT, "x.wks") == (
        PartitionWant("data", 512 << 20, "ext4", "data", "/data", ("noatime", "nodev")),
        PartitionWant(
            "factory", 8 << 20, "none", "factory", type="0fc63daf-8483-4772-8e79-3d69d8477de4",
            after_root=True,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("part swap --size 5\n", "x:1: a partition for swapping is not made"),
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
        parse_wks(text, "x")
    assert caught.value.message.startswith(said)
