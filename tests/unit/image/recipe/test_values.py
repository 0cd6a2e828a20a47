# SPDX-License-Identifier: Apache-2.0
from ostrya.image.recipe.keys import KEYS
from ostrya.image.recipe.values import Recipe


def test_every_section_has_a_field():
    other = {"profile", "include", "replace", "size", "kernel", "disk"}
    assert {key.name for key in KEYS} - other <= set(Recipe._fields)
