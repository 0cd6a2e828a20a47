# SPDX-License-Identifier: Apache-2.0
"""Detached metadata: what can be said of a commit after it was made, signatures above all.

Wire format, GVariant ``a{sv}``, stored beside the commit as ``<checksum>.commitmeta``::

    ostree.gpgsigs        aay    OpenPGP signatures
    ostree.sign.ed25519   aay    Ed25519 signatures, 64 bytes each
    ostree.sign.spki      aay    signatures by keys of other kinds
    anything else         v      as the author pleases

A repository's ``summary.sig`` has the same form; its signatures cover the bytes of ``summary``.

The checksum in the name is the commit's: nothing hashes these bytes. An empty file is an empty
dictionary.

Source: ostree-repo.c (ostree_repo_read_commit_detached_metadata).
"""

from __future__ import annotations

from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant

_SIGNATURES_TYPE = "aay"

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


def signatures_in(metadata: VarDict | None, metadata_key: str) -> tuple[bytes, ...] | None:
    """Find the signatures that a dictionary holds under a key; None where it has no such key."""
    found: tuple[bytes, ...] | None = None
    if metadata is not None:
        found = metadata.lookup(metadata_key, _SIGNATURES_TYPE)
    return found


def with_signatures(metadata: VarDict, metadata_key: str, signatures: tuple[bytes, ...]) -> VarDict:
    """Give a dictionary with other signatures under a key; without the key where there are none."""
    if not signatures:
        return metadata.without(metadata_key)
    return metadata.with_item(metadata_key, Variant(_SIGNATURES_TYPE, signatures))
