# SPDX-License-Identifier: Apache-2.0
"""GVariant type strings, parsed once: alignment, fixed size and nesting of each type.

::

    type       alignment  size      value in Python
    y          1          1         int
    b          1          1         bool
    n q        2          2         int
    i u h      4          4         int
    x t        8          8         int
    d          8          8         float
    s o g      1          variable  str, ends in NUL on the wire
    v          8          variable  Variant: value, NUL, type string
    aX         of X       variable  tuple (ay: bytes, a{sv}: VarDict), then end offsets
    mX         of X       variable  None or the value; if X is a maybe too: None or (value,)
    (XY…)      largest    sum or variable, end offsets backwards   tuple
    {KX}       largest    like a tuple; K a basic type             (key, value)
    ()         1          1         ()

Offsets take 1, 2, 4 or 8 bytes: the least in which the size of the whole container fits.
Containers may nest 64 deep, variants and their contents counted together.

Source: the GVariant specification ("GVariant Specification 1.0", A. Ryan Lortie).
"""

from __future__ import annotations

from ostrya.formats.errors import GVariantError

MAX_DEPTH = 64

# By kind: alignment, then size, 0 if variable.
_BASIC: dict[str, tuple[int, int]] = {
    "y": (1, 1),
    "b": (1, 1),
    "n": (2, 2),
    "q": (2, 2),
    "i": (4, 4),
    "u": (4, 4),
    "h": (4, 4),
    "x": (8, 8),
    "t": (8, 8),
    "d": (8, 8),
    "s": (1, 0),
    "o": (1, 0),
    "g": (1, 0),
}


class Type:
    """One parsed type.

    Attributes:
        text: The type string.
        kind: Its first character.
        alignment: 1, 2, 4 or 8.
        fixed_size: Bytes of every value of the type; 0 if they differ.
        depth: Containers on the longest way down; 0 for basic types.
        children: Element, or members.
        offsets: For tuples, how many members need an end offset.
    """

    __slots__ = ("alignment", "children", "depth", "fixed_size", "kind", "offsets", "text")

    def __init__(self, text: str, children: tuple[Type, ...] = ()) -> None:
        kind = text[0]
        self.text = text
        self.kind = kind
        self.children = children
        self.offsets = 0
        self.fixed_size = 0
        if kind in _BASIC:
            self.alignment, self.fixed_size = _BASIC[kind]
            self.depth = 0
        elif kind == "v":
            self.alignment = 8
            self.depth = 1
        else:
            self.alignment = max((child.alignment for child in children), default=1)
            self.depth = 1 + max((child.depth for child in children), default=0)
            if kind in "({":
                self._frame_members()

    def _frame_members(self) -> None:
        self.offsets = sum(1 for child in self.children[:-1] if not child.fixed_size)
        if not self.children:
            self.fixed_size = 1
        elif all(child.fixed_size for child in self.children):
            size = 0
            for child in self.children:
                size += -size % child.alignment + child.fixed_size
            self.fixed_size = size + -size % self.alignment


_cache: dict[str, Type] = {}
_CACHE_LIMIT = 512
# Longer types are parsed again each time.
CACHED_LENGTH = 64


def parse_type(text: str) -> Type:
    """Parse a string that holds exactly one definite type.

    Raises:
        GVariantError: It does not, or nests deeper than 64.
    """
    found = _cache.get(text)
    if found is not None:
        return found
    parsed, at = _scan(text, 0, 0)
    if at != len(text):
        raise GVariantError(f"Invalid type string '{text[:64]}'")
    # Types arrive in hostile variants too: remember few, and short ones.
    if len(text) <= CACHED_LENGTH:
        if len(_cache) >= _CACHE_LIMIT:
            _cache.clear()
        _cache[text] = parsed
    return parsed


def is_signature(text: str) -> bool:
    """Say whether the text is a row of definite types without maybes, as type ``g`` holds."""
    if "m" in text:
        return False
    at = 0
    try:
        while at < len(text):
            at = _scan(text, at, 0)[1]
    except GVariantError:
        return False
    return True


def is_object_path(text: str) -> bool:
    """Say whether the text is a D-Bus object path, as type ``o`` holds."""
    if text == "/":
        return True
    if not text.startswith("/") or not text.isascii():
        return False
    return all(part and part.replace("_", "a").isalnum() for part in text[1:].split("/"))


def offset_size(size: int) -> int:
    """Bytes of one offset inside a container of this size."""
    if size <= 0xFF:
        return 1
    if size <= 0xFFFF:
        return 2
    return 4 if size <= 0xFFFF_FFFF else 8


def framed_offset_size(body: int, count: int) -> int:
    """Bytes of each of so many offsets behind a body of this size."""
    for width in (1, 2, 4):
        if body + count * width < 1 << (8 * width):
            return width
    return 8


def _scan(text: str, at: int, depth: int) -> tuple[Type, int]:
    """Parse one type; give it and where the next one starts."""
    kind = text[at : at + 1]
    if kind == "v" or kind in _BASIC:
        if depth + (kind == "v") > MAX_DEPTH:
            raise GVariantError("Type nests too deep")
        return _shared(kind), at + 1
    if not kind or kind not in "am({":
        raise GVariantError(f"Invalid type string '{text[:64]}'")
    if depth >= MAX_DEPTH:
        raise GVariantError("Type nests too deep")
    if kind in "am":
        element, end = _scan(text, at + 1, depth + 1)
        return Type(text[at:end], (element,)), end
    return _scan_members(text, at, depth)


def _scan_members(text: str, at: int, depth: int) -> tuple[Type, int]:
    closing = ")" if text[at] == "(" else "}"
    members: list[Type] = []
    end = at + 1
    while text[end : end + 1] != closing:
        member, end = _scan(text, end, depth + 1)
        members.append(member)
    end += 1
    if closing == "}" and (len(members) != 2 or members[0].kind not in _BASIC):
        raise GVariantError(f"Invalid dictionary entry in type string '{text[:64]}'")
    return Type(text[at:end], tuple(members)), end


def _shared(kind: str) -> Type:
    found = _cache.get(kind)
    if found is None:
        found = _cache[kind] = Type(kind)
    return found
