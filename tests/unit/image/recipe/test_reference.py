# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from ostrya.image.recipe.reference import recipe_reference

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "recipe.md"


def test_the_page_is_current():
    assert PAGE.read_text() == recipe_reference(), "python -m ostrya.cli.recipe_reference PAGE"


def test_nested_tables_are_there():
    text = recipe_reference()
    assert "## `[[network.wifi]]`" in text
    assert "| `path` | path | required | A directory, or a file. |" in text
