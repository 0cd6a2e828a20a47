# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.located import MAX_RECIPE_BYTES, parse_located


def test_values_know_their_file_and_line():
    found = parse_located("a = 1\n[b]\nc = ['x',\n 'y']\n", "r.toml")
    second = found.table()["b"].table()["c"].items()[1]
    assert (second.value, str(second.where)) == ("y", "r.toml:4")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = \n", "r.toml:2: invalid value"),
        ("a = 1\na = 2\n", "r.toml:2: cannot overwrite a value"),
        ("a = [1,\n", "r.toml:2: "),
        ("x = " + "[" * 100000, "r.toml: this is nested too deeply"),
        ("#" * (MAX_RECIPE_BYTES + 1), "r.toml: this is too large for a recipe"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text, said):
    with pytest.raises(RecipeError) as caught:
        parse_located(text, "r.toml")
    assert caught.value.message.startswith(said)
