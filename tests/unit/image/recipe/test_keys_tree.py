# SPDX-License-Identifier: Apache-2.0
from ostrya.image.recipe.keys_tree import TREE_KEYS


def test_root_has_what_other_accounts_have_but_a_name():
    by_name = {key.name: {one.name for one in key.keys} for key in TREE_KEYS}
    assert by_name["root"] < by_name["users"]
    assert "name" not in by_name["root"]
