# SPDX-License-Identifier: Apache-2.0
from ostrya.cli.recipe_reference import main
from ostrya.image.recipe.reference import recipe_reference


def test_the_page_is_written(tmp_path):
    assert main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text() == recipe_reference()
