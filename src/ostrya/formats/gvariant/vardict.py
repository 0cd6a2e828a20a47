# SPDX-License-Identifier: Apache-2.0
"""Typed values and dictionaries of them: the contents of ``v`` and ``a{sv}``.

::

    Variant("s", "hello")                     <'hello'>
    VarDict((("k", Variant("u", 1)),))        {'k': <uint32 1>}

A ``VarDict`` is the row of entries as it was on the wire: order and duplicates are kept,
because checksums and signatures cover them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self


class Variant(NamedTuple):
    """A value together with its type: the content of a ``v``."""

    type: str
    value: Any


class VarDict(tuple[tuple[str, Variant], ...]):
    """The entries of an ``a{sv}``, in their order."""

    __slots__ = ()

    @classmethod
    def of(cls, entries: Mapping[str, Variant] | Iterable[tuple[str, Variant]] = ()) -> Self:
        """Make one from a mapping or from pairs, in their order."""
        if isinstance(entries, Mapping):
            return cls(entries.items())
        return cls(entries)

    def get(self, key: str) -> Variant | None:
        """Find the value of a key; of several, the first."""
        for name, variant in self:
            if name == key:
                return variant
        return None

    def lookup(self, key: str, type_string: str) -> Any:  # noqa: ANN401
        """Find the bare value of a key if it is of that type; else None."""
        variant = self.get(key)
        if variant is None or variant.type != type_string:
            return None
        return variant.value

    def keys(self) -> tuple[str, ...]:
        """The keys, in their order."""
        return tuple(name for name, _ in self)

    def with_item(self, key: str, variant: Variant) -> Self:
        """Replace the first value of a key where it stands, or append it."""
        entries = list(self)
        for at, (name, _) in enumerate(entries):
            if name == key:
                entries[at] = (key, variant)
                break
        else:
            entries.append((key, variant))
        return type(self)(entries)

    def without(self, key: str) -> Self:
        """Drop every entry of a key."""
        return type(self)(entry for entry in self if entry[0] != key)
