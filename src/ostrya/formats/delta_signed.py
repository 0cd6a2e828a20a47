# SPDX-License-Identifier: Apache-2.0
"""Signed delta: a superblock together with signatures over it.

Wire format, GVariant ``(taya{sv})``, alignment 8::

    t        "OSTSGNDT"
    ay       the superblock; signatures cover these bytes
    a{sv}    signatures, as in commitmeta

Source: ostree-repo-static-delta-private.h (OSTREE_STATIC_DELTA_SIGNED_FORMAT).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.split import split_tuple
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.gvariant.vardict import VarDict

SIGNED_TYPE = "(taya{sv})"
SIGNED_MAGIC = b"OSTSGNDT"
_SIGNATURE_PREFIX = "ostree.sign."


class SignedDelta(NamedTuple):
    """A superblock with signatures.

    Attributes:
        superblock: The bytes that the signatures cover.
        signatures: As in detached metadata.
    """

    superblock: memoryview | bytes
    signatures: VarDict

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature by a plain key."""
        return any(key.startswith(_SIGNATURE_PREFIX) for key, _ in self.signatures)

    def encode(self) -> bytes:
        """Give the bytes of the file.

        Raises:
            FormatError: A signature does not fit.
        """
        magic = int.from_bytes(SIGNED_MAGIC, "little")
        return encode_variant(SIGNED_TYPE, (magic, self.superblock, self.signatures))


def decode_signed(data: bytes | memoryview) -> SignedDelta | None:
    """Take the wrapper off a superblock with signatures; None if it has none.

    Raises:
        DeltaFormatError: It begins like one, but is none.
    """
    view = memoryview(data)
    if bytes(view[: len(SIGNED_MAGIC)]) != SIGNED_MAGIC:
        return None
    try:
        _, superblock, signatures = split_tuple(SIGNED_TYPE, view)
        return SignedDelta(superblock, decode_variant("a{sv}", signatures))
    except FormatError as exc:
        raise DeltaFormatError(f"Invalid signed delta superblock: {exc.message}") from exc
