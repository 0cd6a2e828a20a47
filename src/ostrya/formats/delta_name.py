# SPDX-License-Identifier: Apache-2.0
"""Names of static deltas: the commit that one makes, and the commit it needs.

::

    <to>                                     as people write it: from nothing to a commit
    <from>-<to>                              from one commit to another

    deltas/Ab/Cdef…/superblock               where it lies: modified base64, of 43 characters
    deltas/Ab/Cdef…-Gh…/superblock             two make the directory
    deltas/Ab/Cdef…-Gh…/0, 1 …               its parts
    delta-indexes/Gh/Ijkl….index             which deltas lead to a commit

Inside a superblock the same paths name the parts and the detached metadata that it carries:
``deltas/Ab/Cdef…/0``, ``deltas/Ab/Cdef…/commitmeta``.

Source: ostree-core.c (_ostree_get_relative_static_delta_path, _ostree_parse_delta_name).
"""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.checksum import (
    Checksum,
    check_checksum,
    from_modified_base64,
    to_modified_base64,
)
from ostrya.named_tuple import NamedTuple

SUPERBLOCK = "superblock"
INDEX_SUFFIX = ".index"


class DeltaName(NamedTuple):
    """A static delta: what it leads to, and from where.

    Attributes:
        to: The commit it makes.
        origin: The commit it needs, None if it needs nothing.
    """

    to: Checksum
    origin: Checksum | None

    def __str__(self) -> str:
        return self.to if self.origin is None else f"{self.origin}-{self.to}"


def parse_delta_id(text: str) -> DeltaName:
    """Read a name as people write it.

    Raises:
        ObjectFormatError: A commit in it is none.
    """
    first, dash, second = text.partition("-")
    if not dash:
        return DeltaName(check_checksum(first), None)
    origin = check_checksum(first)
    return DeltaName(check_checksum(second), origin)


def delta_dir(name: DeltaName) -> str:
    """Return the directory of a delta, relative to the repository."""
    text = to_modified_base64(name.to)
    if name.origin is not None:
        text = f"{to_modified_base64(name.origin)}-{text}"
    return f"deltas/{text[:2]}/{text[2:]}"


def superblock_path(name: DeltaName) -> str:
    """Return the path of a delta's superblock, relative to the repository."""
    return f"{delta_dir(name)}/{SUPERBLOCK}"


def part_path(name: DeltaName, index: int) -> str:
    """Return the path of a part, relative to the repository."""
    return f"{delta_dir(name)}/{index}"


def commitmeta_path(name: DeltaName) -> str:
    """Return the key under which a superblock carries the commit's detached metadata."""
    return f"{delta_dir(name)}/commitmeta"


def index_path(to: Checksum) -> str:
    """Return the path of the index of the deltas to a commit, relative to the repository."""
    text = to_modified_base64(to)
    return f"delta-indexes/{text[:2]}/{text[2:]}{INDEX_SUFFIX}"


def parse_delta_name(text: str) -> DeltaName | None:
    """Read the name of a delta's directory, without the slash; None if it is none."""
    # A dash is also a digit of base64url, but these names use plain base64 with "_" for "/".
    origin, _, to = text.rpartition("-")
    try:
        return DeltaName(from_modified_base64(to), from_modified_base64(origin) if origin else None)
    except FormatError:
        return None
