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
from ostrya.fleet.api.openapi import document

if TYPE_CHECKING:
    from collections.abc import Mapping


def pages() -> Mapping[str, str]:
    """Return all files by their paths below the reference."""
    found = {f"json/{verb}.json": schemas.verb_schema(verb) for verb in schemas.VERBS}
    found["fleet-openapi.json"] = document()
    return {name: json.dumps(value, indent=2) + "\n" for name, value in found.items()}


def main(folder: str) -> None:
    """Write them."""
    for name, text in pages().items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            stream.write(text)


if __name__ == "__main__":
    main(sys.argv[1])
