# SPDX-License-Identifier: Apache-2.0
"""The fleet's authority: it vouches for the server, for devices, and for whoever provisions them.

Keys are of the curve P-256, which every client of TLS knows. A certificate says in its subject who
it is for (CN) and as what (OU); the registry of the server says whether that is still so.

PKCS#12 is written without encryption, under an empty password, with a checksum and with the
authority inside: OpenSSL 1.1 and 3 read it, and aktualizr takes from it whom to trust.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ostrya.fleet.errors import BadRequest, SetupError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

CA_DAYS = 36500
SERVER_DAYS = 3650
MAX_NAME = 64
"""Of a CN, as X.509 has it."""
_DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,63}")
# A device without a battery starts in 1970, and has to reach its server all the same: how old
# metadata may be is seen otherwise.
_VALID_FROM = datetime(1970, 1, 1, tzinfo=UTC)


class Purpose(Enum):
    """As what a certificate was given to somebody."""

    DEVICE = "device"
    PROVISIONING = "provisioning"
    """May make itself into a device, and nothing else."""
    TOOL = "tool"
    """May push commits, images and metadata."""
    SERVER = "server"


class Identity(NamedTuple):
    """A certificate and its key.

    Attributes:
        certificate: What is shown to others.
        key: What proves that it is ours.
    """

    certificate: x509.Certificate
    key: PrivateKeyTypes

    @property
    def serial(self) -> str:
        """The number that the authority knows it by, hexadecimal."""
        return serial_of(self.certificate)

    def certificate_pem(self) -> bytes:
        """Return the certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self) -> bytes:
        """Return the key as PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def p12(self, name: str, authorities: Sequence[x509.Certificate]) -> bytes:
        """Return both and the authorities as PKCS#12 with an empty password."""
        if not isinstance(self.key, ec.EllipticCurvePrivateKey):
            raise SetupError("only keys of the fleet's own kind are put into PKCS#12")
        return pkcs12.serialize_key_and_certificates(
            name.encode(), self.key, self.certificate, list(authorities), NoEncryption()
        )


class Peer(NamedTuple):
    """Who a certificate says that somebody is.

    Attributes:
        name: Of the device or the tool.
        purpose: As what; None where that is not said.
        serial: Of the certificate, hexadecimal.
    """

    name: str
    purpose: Purpose | None
    serial: str


class Wish(NamedTuple):
    """What a certificate is wanted for.

    Attributes:
        name: Whom.
        purpose: As what.
        days: For how long.
        hostnames: Of a server.
    """

    name: str
    purpose: Purpose
    days: int
    hostnames: tuple[str, ...] = ()


def make_authority(name: str, now: datetime) -> Identity:
    """Make the authority of a fleet."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:MAX_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} fleet CA"[:MAX_NAME]),
        ]
    )
    builder = (
        _begin(subject, subject, key.public_key(), now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return Identity(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Identity, wish: Wish, now: datetime) -> Identity:
    """Make a key, and a certificate for it.

    Raises:
        BadRequest: Nobody can be called so.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    if not 0 < len(wish.name) <= MAX_NAME:
        raise BadRequest(f"a name of {len(wish.name)} characters does not fit into a certificate")
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, wish.purpose.value),
            x509.NameAttribute(NameOID.COMMON_NAME, wish.name),
        ]
    )
    issuer = authority.certificate
    left = issuer.not_valid_after_utc - now
    days = min(wish.days, max(left.days, 1))
    is_server = wish.purpose is Purpose.SERVER
    usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _begin(subject, issuer.subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()),  # type: ignore[arg-type]  # ours is EC
            critical=False,
        )
    )
    if wish.hostnames:
        names = [_general_name(one) for one in wish.hostnames]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signer = authority.key
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise SetupError("the key of the fleet's authority is not of its own kind")
    return Identity(builder.sign(signer, hashes.SHA256()), key)


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    now = now.astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def server_names(certificate: x509.Certificate) -> set[str]:
    """Return the names and addresses that a server's certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = found.get_values_for_type(x509.IPAddress)
    return {*found.get_values_for_type(x509.DNSName), *map(str, addresses)}


def check_device_id(text: str) -> None:
    """Refuse what cannot name a device.

    Raises:
        BadRequest: It cannot.
    """
    if not _DEVICE_ID.fullmatch(text):
        raise BadRequest(
            f"{text[:80]!r} cannot name a device",
            code="invalid_device_id",
            hint=f"up to {MAX_NAME} letters, digits and . _ : @ + -, the first a letter or digit",
        )


def serial_of(certificate: x509.Certificate) -> str:
    """Return the number that the authority knows a certificate by, hexadecimal."""
    return f"{certificate.serial_number:x}"


@functools.lru_cache(maxsize=16_384)
def read_peer(der: bytes) -> Peer | None:
    """Return who a certificate says that somebody is; None if it does not say.

    Whether to believe it was decided before, when the connection was made.
    """
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        return None
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    known = {one.value: one for one in Purpose}
    purpose = known.get(str(units[0].value)) if len(units) == 1 else None
    return Peer(names[0].value, purpose, serial_of(certificate))


def check_vouched(der_or_pem: bytes, authority: x509.Certificate, now: datetime) -> Peer:
    """Return whom a certificate made elsewhere is for, if the fleet's authority signed it.

    Raises:
        BadRequest: It is no certificate, not of this authority, or expired.
    """
    try:
        if der_or_pem.lstrip().startswith(b"-----"):
            certificate = x509.load_pem_x509_certificate(der_or_pem)
        else:
            certificate = x509.load_der_x509_certificate(der_or_pem)
        certificate.verify_directly_issued_by(authority)
        peer = read_peer(certificate.public_bytes(Encoding.DER))
    except Exception as exc:  # noqa: BLE001  # the library has no base of its own for these
        raise BadRequest(f"it is no certificate of this fleet's authority: {exc}") from None
    if peer is None:
        raise BadRequest("the certificate does not say whom it is for", hint="it has no CN")
    if certificate.not_valid_after_utc <= now:
        raise BadRequest(f"the certificate of {peer.name} expired")
    return peer


def load_identity(certificate: bytes, key: bytes, what: str) -> Identity:
    """Read a certificate and its key.

    Raises:
        SetupError: They are none.
    """
    try:
        return Identity(
            x509.load_pem_x509_certificate(certificate), load_pem_private_key(key, None)
        )
    except (ValueError, TypeError) as exc:
        raise SetupError(f"{what} cannot be read: {exc}") from None
