# SPDX-License-Identifier: Apache-2.0
"""Which of the trusted keys made one of the signatures: the part that ed25519 and spki share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.sign.errors import BadSignature, KeyRevoked, NoSignature, UntrustedKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_SIGNATURES = 1024
"""More on one thing are refused unread: checking each against each key takes time."""
_NAMED_KEYS = 3


class TrustedKeys(NamedTuple):
    """Keys that may vouch, and keys that must not.

    Attributes:
        trusted: Public keys, in the order in which they are tried.
        revoked: Public keys that count for nothing, even if they are trusted besides.
    """

    trusted: tuple[bytes, ...]
    revoked: frozenset[bytes] = frozenset()


def find_signer(
    engine: str,
    keys: TrustedKeys,
    data: bytes | memoryview,
    signatures: Sequence[bytes],
    check: Callable[[bytes, bytes | memoryview, bytes], bool],
) -> bytes:
    """Return the trusted key that made one of the signatures.

    Args:
        engine: Whose sentences to use.
        keys: Who may vouch.
        data: What is signed.
        signatures: All that are there.
        check: Tells whether a key made a signature of the data; a BadSignature from it means
            that the signature is none of the engine's.

    Raises:
        NoSignature: There is none.
        KeyRevoked: Only revoked keys made any.
        UntrustedKey: None of the keys made any.
        BadSignature: There are only such that are none, or far too many.
    """
    check_count(engine, signatures)
    live = [key for key in keys.trusted if key not in keys.revoked]
    refusal: BadSignature | None = None
    tried: list[bytes] = []
    for signature in signatures:
        try:
            for key in live:
                if check(key, data, signature):
                    return key
                tried.append(key)
        except BadSignature as exc:
            refusal = refusal or exc
    _look_for_revoked(engine, keys, data, signatures, check)
    if refusal is not None:
        raise refusal
    raise UntrustedKey(_sentence(engine, tried))


def check_count(engine: str, signatures: Sequence[bytes]) -> None:
    """Refuse none, and far too many.

    Raises:
        NoSignature: There is none.
        BadSignature: There are more than anybody makes.
    """
    if not signatures:
        raise NoSignature(f"{engine}: commit have no signatures of my type")
    if len(signatures) > MAX_SIGNATURES:
        raise BadSignature(f"{engine}: more than {MAX_SIGNATURES} signatures")


def _look_for_revoked(
    engine: str,
    keys: TrustedKeys,
    data: bytes | memoryview,
    signatures: Sequence[bytes],
    check: Callable[[bytes, bytes | memoryview, bytes], bool],
) -> None:
    for key in sorted(keys.revoked):
        for signature in signatures:
            try:
                made = check(key, data, signature)
            except BadSignature:
                continue
            if made:
                raise KeyRevoked(
                    f"{engine}: Signature couldn't be verified with: key '{key.hex()}' is revoked"
                )


def _sentence(engine: str, tried: list[bytes]) -> str:
    if not tried:
        return f"{engine}: no signatures found"
    failed = f"{engine}: Signature couldn't be verified"
    if len(tried) > _NAMED_KEYS:
        return f"{failed}; tried {len(tried)} keys"
    return f"{failed} with: " + "; ".join(f"key '{key.hex()}'" for key in tried)
