# SPDX-License-Identifier: Apache-2.0
"""The two things every engine can do, and how to get one by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ostrya.errors import SignatureError
from ostrya.sign import dummy, keys
from ostrya.sign.policy import accept_any, require_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ostrya.sign.matching import TrustedKeys

DEFAULT_ENGINE = "ed25519"


class Signer(Protocol):
    """Makes signatures with one key.

    Attributes:
        name: Of the engine.
        metadata_key: Under which its signatures are kept.
    """

    name: str
    metadata_key: str

    def sign(self, data: bytes, existing: Sequence[bytes] = ()) -> bytes:
        """Return the signature of some bytes.

        Args:
            data: What to sign.
            existing: The engine's signatures that are there; one that tells them apart does not
                sign twice with a key.

        Raises:
            SignatureError: It could not be made.
        """


class Verifier(Protocol):
    """Accepts signatures by the keys it was made with.

    Attributes:
        name: Of the engine.
        metadata_key: Under which its signatures are kept.
    """

    name: str
    metadata_key: str

    def verify(self, data: bytes | memoryview, signatures: Sequence[bytes]) -> str:
        """Return libostree's sentence about who vouches for some bytes.

        Raises:
            SignatureError: Nobody does; the class says why.
        """


def make_signer(name: str, key: str | bytes, *, allow_dummy: bool = False) -> Signer:
    """Return a signer.

    Args:
        name: Of the engine.
        key: The secret key: text as on a command line, or bytes as from a key file.
        allow_dummy: Whether this is a test.

    Raises:
        SignatureError: There is no such engine, or the key is none of its.
    """
    require_engine(name)
    raw = keys.parse_key_argument(name, key) if isinstance(key, str) else key
    if name == "ed25519":
        from ostrya.sign.ed25519 import Ed25519Signer

        return Ed25519Signer(raw)
    if name == "spki":
        from ostrya.sign.spki import SpkiSigner

        return SpkiSigner(raw)
    dummy.require_enabled(enabled=allow_dummy)
    return dummy.DummySigner(raw)


def make_verifier(name: str, trusted: TrustedKeys, *, allow_dummy: bool = False) -> Verifier:
    """Return a verifier.

    Args:
        name: Of the engine.
        trusted: Who may vouch.
        allow_dummy: Whether this is a test.

    Raises:
        SignatureError: There is no such engine, or a key is none of its.
    """
    require_engine(name)
    if name == "ed25519":
        from ostrya.sign.ed25519 import Ed25519Verifier

        return Ed25519Verifier(trusted)
    if name == "spki":
        from ostrya.sign.spki import SpkiVerifier

        return SpkiVerifier(trusted)
    dummy.require_enabled(enabled=allow_dummy)
    return dummy.DummyVerifier(trusted.trusted)


def verify_with_any(
    verifiers: Sequence[Verifier],
    data: bytes,
    signatures_under: Callable[[str], Sequence[bytes] | None],
) -> str:
    """Return the sentence of the first verifier that accepts.

    Args:
        verifiers: Asked in this order.
        data: What is signed.
        signatures_under: Gives the signatures under a metadata key, None where it is not there.

    Raises:
        NoSignature: There is none for any of them.
        SignatureError: All refuse; why the first one does.
    """

    def results() -> Iterator[str | SignatureError | None]:
        for verifier in verifiers:
            signatures = signatures_under(verifier.metadata_key)
            if signatures is None:
                yield None
                continue
            try:
                yield verifier.verify(data, signatures)
            except SignatureError as exc:
                yield exc

    return accept_any(results())
