# SPDX-License-Identifier: Apache-2.0
"""Detached metadata: what can be said of a commit after it was made, signatures above all.

Wire format, GVariant ``a{sv}``, stored beside the commit as ``<checksum>.commitmeta``::

    ostree.gpgsigs        aay    OpenPGP signatures
    ostree.sign.ed25519   aay    Ed25519 signatures, 64 bytes each
    ostree.sign.spki      aay    signatures by keys of other kinds
    anything else         v      as the author pleases

The checksum in the name is the commit's: nothing hashes these bytes. An empty file is an empty
dictionary.

Source: ostree-repo.c (ostree_repo_read_commit_detached_metadata).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant

if TYPE_CHECKING:
    from ostrya.formats.gvariant.vardict import VarDict

KEY_GPG_SIGNATURES = "ostree.gpgsigs"
KEY_ED25519_SIGNATURES = "ostree.sign.ed25519"
KEY_SPKI_SIGNATURES = "ostree.sign.spki"


def decode_commitmeta(data: bytes) -> VarDict:
    """Parse a ``.commitmeta`` file.

    Raises:
        GVariantError: Not a dictionary in normal form.
    """
    metadata: VarDict = decode_variant("a{sv}", data)
    return metadata


def encode_commitmeta(metadata: VarDict) -> bytes:
    """Give the bytes of a ``.commitmeta`` file.

    Raises:
        GVariantError: A value does not fit its type.
    """
    return encode_variant("a{sv}", metadata)
