# SPDX-License-Identifier: Apache-2.0
"""Tombstones: what remains of a commit that was deleted on purpose.

Wire format, GVariant ``a{sv}``, stored as ``<checksum>.tombstone-commit``::

    commit   ay   the deleted commit's checksum: 64 hexadecimal digits and a NUL

Source: ostree-repo.c (ostree_repo_delete_object).
"""

from __future__ import annotations

from ostrya.formats.checksum import Checksum, check_checksum
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant


def decode_tombstone(data: bytes) -> Checksum:
    """Give the checksum of the commit that is gone.

    Raises:
        FormatError: Not a tombstone.
    """
    metadata: VarDict = decode_variant("a{sv}", data)
    raw = metadata.lookup("commit", "ay")
    if not raw or raw[-1]:
        raise ObjectFormatError("Invalid tombstone: no commit in it")
    return check_checksum(raw[:-1].decode("latin-1"))


def encode_tombstone(checksum: Checksum) -> bytes:
    """Give the bytes of the tombstone of a commit."""
    entry = Variant("ay", checksum.encode("ascii") + b"\0")
    return encode_variant("a{sv}", VarDict.of({"commit": entry}))
