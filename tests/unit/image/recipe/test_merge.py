# SPDX-License-Identifier: Apache-2.0
import os.path

import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.located import Located
from ostrya.image.recipe.merge import apply_profiles, load_merged


def plain(located):
    value = located.value if isinstance(located, Located) else located
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def load(files, name="top/r.toml", profiles=()):
    def read(path):
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return files[path]

    def join(file, name):
        return os.path.normpath(os.path.join(os.path.dirname(file), name))

    merged = load_merged(name, read, join)
    if merged.problems:
        raise RecipeError(merged.problems)
    return apply_profiles(merged.tree, profiles)


BASE = """
version = "1"
[kernel]
arguments = ["quiet"]
[[users]]
name = "a"
uid = 1000
[profile.x]
version = "x"
"""


def test_included_recipes_come_first():
    top = """
    include = ["../base.toml"]
    version = "2"
    kernel.arguments = ["debug"]
    [[users]]
    name = "b"
    [[users]]
    name = "a"
    comment = "first"
    """
    found = load({"base.toml": BASE, "top/r.toml": top})
    assert plain(found) == {
        "version": "2",
        "kernel": {"arguments": ["quiet", "debug"]},
        "users": [{"name": "a", "uid": 1000, "comment": "first"}, {"name": "b"}],
    }
    assert str(found.table()["users"].items()[0].table()["uid"].where) == "base.toml:7"


def test_profiles_are_laid_over_and_lists_may_begin_anew():
    text = BASE + '[profile.y]\nreplace = ["kernel.arguments"]\nkernel.arguments = ["loud"]\n'
    found = plain(load({"r": text}, "r", ("x", "y")))
    assert (found["version"], found["kernel"]) == ("x", {"arguments": ["loud"]})
    assert "profile" not in found


def test_a_profile_that_is_not_there():
    with pytest.raises(RecipeError, match="there is no profile 'z'") as caught:
        load({"r": BASE}, "r", ("z",))
    assert caught.value.hint == "known are x"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"r": "include = ['r']"}, "r:1: recipes include one another: r includes r"),
        (
            {"r": "include = ['a']", "a": "\ninclude = ['b']", "b": "include = ['a']"},
            "b:1: recipes include one another: a includes b includes a",
        ),
        ({"r": "include = ['no']"}, "r:1: the recipe no cannot be read: No such file or directory"),
        ({}, "the recipe r cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_included(files, said):
    with pytest.raises(RecipeError) as caught:
        load(files, "r")
    assert caught.value.message == said


def test_what_is_wrong_in_all_files_is_told_together():
    files = {"r": "include = ['a', 'b']\nnam = 1", "a": "b = [", "b": "size = 3"}
    with pytest.raises(RecipeError) as caught:
        load(files, "r")
    assert [line.partition(" ")[0] for line in caught.value.problems] == ["r:2:", "a:1:", "b:1:"]


def test_the_same_may_be_included_twice():
    files = {"r": "include = ['a', 'b']", "a": "include = ['b']", "b": "version = '1'"}
    assert plain(load(files, "r")) == {"version": "1"}


def test_there_is_an_end():
    files = {"r": f"include = {[str(n) for n in range(200)]}", **{str(n): "" for n in range(200)}}
    with pytest.raises(RecipeError, match="more than 100 recipes are included"):
        load(files, "r")
