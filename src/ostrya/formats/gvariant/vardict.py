# SPDX-License-Identifier: Apache-2.0
"""Typed values and dictionaries of them: the contents of ``v`` and ``a{sv}``.

::

    Variant("s", "hello")                     <'hello'>
    VarDict((("k", Variant("u", 1)),))        {'k': <uint32 1>}

A ``VarDict`` is the row of entries as it was on the wire: order and duplicates are kept,
because checksums and signatures cover them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Self, SupportsIndex, TypeVar, overload

from ostrya.named_tuple import NamedTuple

_Key = TypeVar("_Key", bound=Hashable)


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

    def __contains__(self, item: object) -> bool:
        """Say whether a key is there, or an entry."""
        if isinstance(item, str):
            return any(name == item for name, _ in self)
        return super().__contains__(item)

    def lookup(self, key: str, type_string: str) -> Any:  # noqa: ANN401
        """Find the bare value of a key if it is of that type; else None."""
        variant = self.get(key)
        if variant is None or variant.type != type_string:
            return None
        return variant.value

    def keys(self) -> tuple[str, ...]:
        """The keys, in their order."""
        return tuple(name for name, _ in self)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> tuple[str, Variant]: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[tuple[str, Variant], ...]: ...
    @overload
    def __getitem__(self, index: str, /) -> Variant: ...

    def __getitem__(self, index: SupportsIndex | slice | str, /) -> Any:
        """Give an entry by its number or a value by its key; so that ``dict()`` takes it."""
        if not isinstance(index, str):
            return super().__getitem__(index)
        variant = self.get(index)
        if variant is None:
            raise KeyError(index)
        return variant

    def to_dict(self) -> dict[str, Variant]:
        """Give a mapping of the entries; of several with one key, the first."""
        return dict(self)

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


# GHashTable's moduli, by the exponent of the table's size.
_PRIMES = (
    1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071,
    262139, 524287, 1048573, 2097143, 4194301, 8388593, 16777213, 33554393, 67108859, 134217689,
    268435399, 536870909, 1073741789, 2147483647,
)  # fmt: skip
_MIN_SHIFT = 3
_U32 = 0xFFFF_FFFF


def glib_dict_order(keys: Iterable[str]) -> list[str]:
    """Give the keys in the order in which a ``GVariantDict`` they were put into emits them.

    libostree passes some metadata through such a dictionary, whose order is that of the slots
    of its hash table; equal commit checksums need the same order.

    Args:
        keys: In the order in which they are put in; one that comes again counts once.
    """
    return glib_table_order(keys, glib_str_hash)


def glib_table_order(keys: Iterable[_Key], hash_of: Callable[[_Key], int]) -> list[_Key]:
    """Give the keys in the order of the slots of a ``GHashTable`` they were put into.

    Args:
        keys: In the order in which they are put in; one that comes again counts once.
        hash_of: The table's hash function.
    """
    table: list[tuple[int, _Key] | None] = [None] * (1 << _MIN_SHIFT)
    for count, key in enumerate(dict.fromkeys(keys), 1):
        value = hash_of(key)
        # 0 and 1 mark slots without an entry.
        entry = (value if value > 1 else 2, key)
        at = _home(entry, len(table))
        step = 0
        while table[at] is not None:
            step += 1
            at = (at + step) & (len(table) - 1)
        table[at] = entry
        if len(table) <= count + count // 16:
            table = _grown(table, max(_MIN_SHIFT, int(count * 1.333).bit_length()))
    return [entry[1] for entry in table if entry is not None]


def glib_str_hash(text: str) -> int:
    """Give GLib's hash of a string."""
    value = 5381
    for byte in text.encode("utf-8", "surrogateescape"):
        # C's char is signed where GLib's order was looked at.
        value = (value * 33 + (byte - 256 if byte > 127 else byte)) & _U32
    return value


def _home(entry: tuple[int, object], size: int) -> int:
    return (entry[0] * 11 & _U32) % _PRIMES[size.bit_length() - 1]


def _grown(table: list[tuple[int, _Key] | None], shift: int) -> list[tuple[int, _Key] | None]:
    """Move the entries to a larger table as GLib does, in place: a mover evicts who is there."""
    old_size = len(table)
    size = 1 << shift
    table = table + [None] * (size - old_size)
    settled = bytearray(len(table))
    for start in range(old_size):
        moving = table[start]
        if moving is None or settled[start]:
            continue
        table[start] = None
        while moving is not None:
            at = _home(moving, size)
            step = 0
            while settled[at]:
                step += 1
                at = (at + step) & (size - 1)
            settled[at] = 1
            moving, table[at] = table[at], moving
    return table
