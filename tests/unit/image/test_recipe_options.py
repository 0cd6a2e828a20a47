# SPDX-License-Identifier: Apache-2.0
from ostrya.image.board import load_board
from ostrya.image.policies import LinkPolicy, LinkRule, ResolvPolicy, VarPolicy, VarRule
from ostrya.image.recipe.values import ConvertWish, PartitionWant, Provisioning, Recipe
from ostrya.image.recipe_options import converting_of, disk_extras, image_name

BOARD = load_board("qemu-arm64")


def test_names_and_extras():
    recipe = Recipe("r", "gateway", "1/2", partitions=(PartitionWant("data", 5, type=""),))
    assert image_name(recipe, BOARD) == "gateway-1_2-qemu-arm64"
    provisioning = Provisioning(boot_files=("x/config.txt",), defaults="p.toml")
    extras = disk_extras(recipe._replace(provisioning=provisioning))
    assert extras.boot_files == (
        ("config.txt", "x/config.txt"),
        ("ostrya-provision.toml", "p.toml"),
    )
    assert extras.partitions[0].name == "data"


def test_policies():
    wish = ConvertWish(
        kernel="newest", var=(("/var/x", "factory"),), links=(("/opt", "keep"),), resolv="stub"
    )
    found = converting_of(Recipe("r", convert=wish), BOARD)
    assert found.var == (VarRule("/var/x", VarPolicy.FACTORY),)
    assert found.links == (LinkRule("/opt", LinkPolicy.KEEP),)
    assert (found.kernel, found.resolv, found.label) == ("newest", ResolvPolicy.STUB, False)
