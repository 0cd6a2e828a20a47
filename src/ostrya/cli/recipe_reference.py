# SPDX-License-Identifier: Apache-2.0
"""Write the page of the documentation about recipes; a test compares.

``python -m ostrya.cli.recipe_reference docs/reference/recipe.md``
"""

from __future__ import annotations

import sys

from ostrya.image.recipe.reference import recipe_reference


def main(arguments: list[str]) -> int:
    """Write it."""
    (path,) = arguments
    with open(path, "w", encoding="utf-8") as page:
        page.write(recipe_reference())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
