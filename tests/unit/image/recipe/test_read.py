# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe import values
from ostrya.image.recipe.located import parse_located
from ostrya.image.recipe.read import read_recipe

SOURCE = '[source]\npath = "rootfs"\n'


def read(text):
    return read_recipe(parse_located(text, "dir/r"), lambda file, name: f"<{file}>/{name}")


def test_without_anything_there_are_defaults():
    recipe = read(SOURCE)
    assert recipe == values.Recipe("dir/r", source=values.SourceWish(path="<dir/r>/rootfs"))
    assert recipe.ref == "os/stable"


def test_values_of_all_kinds():
    recipe = read(
        SOURCE
        + """
[[overlays]]
path = "o"
rules = [{match = "etc/*", mode = "0600", owner = "daemon"}]
[[users]]
name = "a"
password_hash = ""
ssh_key_files = ["k"]
[[network.interfaces]]
name = "eth0"
addresses = ["192.0.2.7/24"]
[[network.interfaces]]
mac = "02:00:00:AB:00:00"
[[partitions]]
name = "data"
size = "1G"
place = "after"
[[remotes]]
name = "v"
url = "https://example.com/r"
verify = "none"
settings = {http2 = false, "min" = 3}
"""
    )
    assert recipe.overlays[0].path == "<dir/r>/o"
    assert recipe.overlays[0].rules == (values.Rule("etc/*", "daemon", "", 0o600, None),)
    assert recipe.users[0].password_hash == ""
    assert recipe.users[0].ssh_key_files == ("<dir/r>/k",)
    assert recipe.root.password_hash is None
    assert [one.dhcp for one in recipe.network.interfaces] == [False, True]
    assert recipe.network.interfaces[1].mac == "02:00:00:ab:00:00"
    assert recipe.partitions[0] == values.PartitionWant(
        "data", 1 << 30, label="data", after_root=True
    )
    assert recipe.remotes[0].settings == (("http2", False), ("min", 3))


def test_the_disk_grows():
    assert read(SOURCE + "[disk]\ngrow = 'yes'\n").grow


def test_what_is_missing_is_told():
    with pytest.raises(RecipeError, match=r"^dir/r:3: users\.name is missing$"):
        read(SOURCE + "[[users]]\nuid = 4\n")
