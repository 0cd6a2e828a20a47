# SPDX-License-Identifier: Apache-2.0
"""Write the description of the server's API, and the schemas of its verbs, into the documentation.

Usage: ``python -m ostrya.fleet.api.reference docs/reference``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from ostrya.fleet.api import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping


def pages() -> Mapping[str, str]:
    """Return all files by their paths below the reference."""
    return {
        f"json/{verb}.json": json.dumps(schemas.verb_schema(verb), indent=2) + "\n"
        for verb in schemas.VERBS
    }


def main(folder: str) -> None:
    """Write them."""
    for name, text in pages().items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            stream.write(text)


if __name__ == "__main__":
    main(sys.argv[1])
