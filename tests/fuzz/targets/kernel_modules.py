# SPDX-License-Identifier: Apache-2.0
"""modules.dep, modules.softdep and modules.alias, one behind the other."""

from __future__ import annotations

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.modules import aliases_of, close_modules, format_dep, parse_index


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Close all modules; what is written of them closes to the same again."""
    dep, softdep, alias = [*data.decode("utf-8", "replace").split("\f"), "", ""][:3]
    try:
        index = parse_index(dep, softdep=softdep, alias=alias)
        order = close_modules(index, index.paths)
    except InitramfsError as exc:
        return exc
    assert sorted(order) == sorted(index.paths)
    aliases_of(index, order)
    again = parse_index(format_dep(index, order))
    assert sorted(close_modules(again, again.paths)) == sorted(order)
    return index
