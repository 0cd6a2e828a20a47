# SPDX-License-Identifier: Apache-2.0
from ostrya.image.recipe import schema


def test_what_names_files_is_known():
    assert schema.path("a", "x").is_path
    assert schema.paths("a", "x").kind is schema.Kind.TEXTS
    assert not schema.text("a", "x").is_path


def test_needed_keys():
    assert schema.needed(schema.text("a", "x")).required
