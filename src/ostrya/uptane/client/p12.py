# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys of a device, read: PKCS#12 as servers hand it out, and PEM. No I/O.

The authority to trust comes with a PKCS#12: without it, there would be none.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.p12_work import ENDLESS, rounds_of
from ostrya.uptane.errors import IdentityError

if TYPE_CHECKING:
    from cryptography import x509

MAX_BYTES = 256 * 1024
_MAX_AUTHORITIES = 16
# Programs ask for a few thousand, the most careful ones for some hundred thousand.
_MAX_ROUNDS = 5_000_000


class TlsIdentity(NamedTuple):
    """Who a device is.

    Attributes:
        ca: The authorities to trust, PEM.
        cert: Its certificate, PEM.
        key: Its key, PEM, without a password.
    """

    ca: bytes
    cert: bytes
    key: bytes

    @property
    def common_name(self) -> str:
        """What the certificate calls the device; empty where it does not."""
        return common_name(self.cert, "the certificate")


def read_p12(data: bytes, password: str, what: str) -> TlsIdentity:
    """Read a PKCS#12.

    Args:
        data: Of a stranger's making.
        password: Empty for none.
        what: What it is, for errors.

    Raises:
        IdentityError: It is none, or it lacks a key, its certificate or an authority.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
    from cryptography.x509 import InvalidVersion

    if len(data) > MAX_BYTES:
        raise IdentityError(f"{what} is larger than a PKCS#12 of a device is")
    rounds = rounds_of(data)
    if rounds == ENDLESS:
        raise IdentityError(f"{what} is no PKCS#12: more is in it, or deeper, than in any")
    if rounds > _MAX_ROUNDS:
        raise IdentityError(
            f"{what} asks for {rounds} rounds to make keys of its password",
            hint=f"whoever made it has to do with {_MAX_ROUNDS} at most",
        )
    # An empty password and none are two things in PKCS#12, and programs make both of them.
    words = ""
    for secret in (password.encode(),) if password else (None, b""):
        try:
            with warnings.catch_warnings():
                # Of lengths that are left open, which some programs write.
                warnings.simplefilter("ignore", UserWarning)
                found = load_pkcs12(data, secret)
            break
        except (ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion) as exc:
            words = str(exc).partition("\n")[0]
    else:
        raise IdentityError(
            f"{what} is no PKCS#12 that can be read: {words}",
            hint="p12_password of [provision] is its password",
        )
    if found.key is None or found.cert is None:
        raise IdentityError(f"{what} has no key with its certificate")
    others = [one.certificate for one in found.additional_certs]
    if not 0 < len(others) <= _MAX_AUTHORITIES:
        raise IdentityError(
            f"{what} has {len(others)} certificates of authorities",
            hint="whoever made it has to put the authority's certificate in",
        )
    try:
        key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        authorities = [one.public_bytes(Encoding.PEM) for one in others]
        cert = found.cert.certificate.public_bytes(Encoding.PEM)
    except (ValueError, TypeError) as exc:
        raise IdentityError(f"{what} cannot be used: {exc}") from None
    found_identity = TlsIdentity(b"".join(authorities), cert, key)
    check_pair(found_identity.cert, found_identity.key, what)
    return found_identity


def check_pair(cert: bytes, key: bytes, what: str) -> None:
    """Refuse a certificate and a key that do not belong together.

    Raises:
        IdentityError: They do not, or one of them is none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )
    from cryptography.x509 import InvalidVersion

    try:
        public = load_pem_private_key(key, None).public_key()
        theirs = load_certificate(cert, what).public_key()
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        is_pair = public.public_bytes(*form) == theirs.public_bytes(*form)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion) as exc:
        raise IdentityError(f"the key of {what} cannot be used: {exc}") from None
    if not is_pair:
        raise IdentityError(f"the key and the certificate of {what} do not belong together")


def load_certificate(data: bytes, what: str) -> x509.Certificate:
    """Return a certificate in PEM.

    Raises:
        IdentityError: It is none.
    """
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(data)
    except (ValueError, x509.InvalidVersion):
        raise IdentityError(f"{what} is no certificate in PEM") from None


def common_name(cert: bytes, what: str) -> str:
    """Return what a certificate in PEM calls its owner; empty where it does not.

    Raises:
        IdentityError: It is none.
    """
    from cryptography.x509.oid import NameOID

    try:
        found = load_certificate(cert, what).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        raise IdentityError(f"{what} has a subject that cannot be read") from None
    return str(found[0].value) if found else ""
