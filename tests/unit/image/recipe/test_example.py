# SPDX-License-Identifier: Apache-2.0
import re

from ostrya.image.recipe.check import find_problems
from ostrya.image.recipe.example import example_recipe
from ostrya.image.recipe.located import parse_located
from ostrya.image.recipe.merge import apply_profiles
from ostrya.image.recipe.read import read_recipe

TEXT = example_recipe("qemu-arm64", name="box", source="rootfs.tar", file="image.toml")


def test_it_is_a_recipe():
    found = parse_located(TEXT, "image.toml")
    assert find_problems(found) == []
    recipe = read_recipe(apply_profiles(found, ["debug"]), lambda _file, name: name)
    assert (recipe.board, recipe.name, recipe.source.path) == ("qemu-arm64", "box", "rootfs.tar")
    assert recipe.kernel_arguments == ("systemd.log_level=debug",)


def test_its_examples_are_right_too():
    """Every line with a # before it can be used, but for placeholders in it."""
    lines = [re.sub(r"^# (# )?(?=\[|[a-z_]+ = )", "", line) for line in TEXT.splitlines()]
    text = "\n".join(lines).replace('kind = "debian"', '#kind = "debian"')
    text = text.replace("AAAA...", "A" * 40).replace("$y$j9T$...", "$y$j9T$abc$def")
    text = re.sub(r"(?m)^(suite|packages) = ", r"#\1 = ", text)
    found = parse_located(text, "image.toml")
    assert [str(one) for one in find_problems(found)] == []
    recipe = read_recipe(apply_profiles(found, []), lambda _file, name: name)
    assert recipe.users[0].groups == ("sudo",)
    assert recipe.network.interfaces[0].addresses == ("192.0.2.7/24",)
    assert recipe.partitions[0].mountpoint == "/data"
    assert recipe.remotes[0].key_files == ("release.pub",)
