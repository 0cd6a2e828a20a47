# SPDX-License-Identifier: Apache-2.0
"""Delta index: which deltas lead to a commit.

Wire format, GVariant ``a{sv}``, at ``delta-indexes/Ab/Cdef….index``::

    ostree.static-deltas   a{sv}
      <from>-<to>          ay      digest of the superblock's file, 32 bytes
      <to>                 ay      likewise, of the delta from nothing

The summary has the same dictionary under the same key, for all commits at once.

Source: ostree-repo-static-delta-core.c (ostree_repo_static_delta_reindex).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.checksum import RAW_LENGTH
from ostrya.formats.delta_name import DeltaName, parse_delta_id
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant, glib_dict_order
from ostrya.formats.summary import KEY_STATIC_DELTAS

if TYPE_CHECKING:
    from collections.abc import Mapping

DeltaDigests = dict[DeltaName, bytes]


def encode_delta_index(digests: Mapping[DeltaName, bytes]) -> bytes:
    """Give the bytes of an index.

    Args:
        digests: SHA-256 of each superblock, 32 bytes.
    """
    entries = {
        str(name): Variant("ay", digest)
        for name, digest in sorted(digests.items(), key=lambda item: item[0].origin or "")
    }
    deltas = VarDict((key, entries[key]) for key in glib_dict_order(entries))
    return encode_variant("a{sv}", ((KEY_STATIC_DELTAS, Variant("a{sv}", deltas)),))


def decode_delta_index(data: bytes) -> DeltaDigests:
    """Parse an index; what names no delta is passed over.

    Raises:
        DeltaFormatError: It is none.
    """
    try:
        index: VarDict = decode_variant("a{sv}", data)
    except FormatError as exc:
        raise DeltaFormatError(f"Invalid delta index: {exc.message}") from exc
    return delta_digests(index)


def delta_digests(metadata: VarDict) -> DeltaDigests:
    """Read which deltas there are from an index, or from the metadata of a summary."""
    found: DeltaDigests = {}
    for key, variant in metadata.lookup(KEY_STATIC_DELTAS, "a{sv}") or ():
        try:
            name = parse_delta_id(key)
        except FormatError:
            continue
        if variant.type == "ay" and len(variant.value) == RAW_LENGTH:
            found.setdefault(name, variant.value)
    return found
