# SPDX-License-Identifier: Apache-2.0
"""The page of the documentation about recipes, from the description of their keys. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.recipe.keys import KEYS, PROVISION_KEYS
from ostrya.image.recipe.schema import Key, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
<!-- Written by `python -m ostrya.cli.recipe_reference`; do not edit. -->
# Recipes of images

A recipe is a TOML file that `ostrya image build RECIPE` makes an image of; `ostrya image init`
writes one to begin with. See [build a disk for a board](../how-to/images.md).

Paths are relative to the file that names them. Sizes are numbers with K, M, G or T: `512M`.
All that is wrong with a recipe is told at once, each with file and line.

Lists of an included recipe are continued, tables joined key by key; of lists of tables, entries of
the same `name` are joined. `replace` lets a list begin anew.
"""


def recipe_reference() -> str:
    """Return the page, in Markdown."""
    return "".join(f"{line}\n" for line in _page()).replace("\n\n\n", "\n\n")


def _page() -> Iterator[str]:
    yield _HEAD
    plain = [key for key in KEYS if key.kind not in {Kind.TABLE, Kind.TABLES}]
    names = ", ".join(f"`{key.name}`" for key in PROVISION_KEYS)
    yield f"""\
`ostrya-provision.toml`, which a device reads at its first start, is such a file, and has of all
this only {names}.
"""
    yield "## At the top\n"
    yield from _rows(plain)
    for key in KEYS:
        if key.kind in {Kind.TABLE, Kind.TABLES}:
            yield from _section(key, "")


def _section(key: Key, above: str) -> Iterator[str]:
    name = f"{above}.{key.name}" if above else key.name
    shown = f"[[{name}]]" if key.kind is Kind.TABLES else f"[{name}]"
    yield f"\n## `{shown}`\n"
    if key.doc:
        yield f"{key.doc}\n"
    plain = [one for one in key.keys if one.kind is not Kind.TABLES]
    if plain:
        yield from _rows(plain)
    for one in key.keys:
        if one.kind is Kind.TABLES:
            yield from _section(one, name)


def _rows(keys: list[Key]) -> Iterator[str]:
    yield "| Key | Takes | Default | Meaning |"
    yield "|---|---|---|---|"
    for key in keys:
        default = "required" if key.required else key.default.strip("`") and key.default
        takes = _takes(key)
        yield f"| `{key.name}` | {takes} | {default} | {key.doc} |"


def _takes(key: Key) -> str:
    if key.choices:
        return ", ".join(f"`{word}`" for word in key.choices)
    if key.is_path:
        return "paths" if key.kind is Kind.TEXTS else "path"
    return str(key.kind)
