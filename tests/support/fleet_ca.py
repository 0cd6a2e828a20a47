# SPDX-License-Identifier: Apache-2.0
"""The authority of a fleet, made in memory: certificates, PKCS#12 and a list of the revoked."""

from __future__ import annotations

import datetime
import functools
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def cert_pem(self) -> bytes:
        return pem_of(self.certificate)

    @property
    def key_pem(self) -> bytes:
        return pem_of_key(self.key)

    def write(self, folder: Path, name: str) -> tuple[str, str]:
        """Write both; return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        cert, key = folder / f"{name}.pem", folder / f"{name}.key"
        cert.write_bytes(self.cert_pem)
        key.write_bytes(self.key_pem)
        return str(cert), str(key)


@dataclass
class FleetCa:
    """An authority."""

    name: str = "fleet"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    revoked: list[int] = field(default_factory=list)

    @functools.cached_property
    def certificate(self) -> x509.Certificate:
        builder = self._builder(_name(self.name), self.key.public_key(), 365)
        usage = x509.KeyUsage(
            True, False, False, False, False, True, True, False, False
        )  # signs, certificates and lists
        return (
            builder.add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        return pem_of(self.certificate)

    def _builder(self, subject: x509.Name, public: object, days: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_name(self.name))
            .public_key(public)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(_now() - 2 * _DAY)
            .not_valid_after(_now() + days * _DAY)
        )

    def issue(self, common: str, *, days: int = 30) -> Issued:
        """Vouch for a name, and for this machine's addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        builder = self._builder(_name(common), key.public_key(), days)
        builder = builder.add_extension(names, critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()), key)

    def p12(self, issued: Issued, password: bytes = b"", *, with_ca: bool = True) -> bytes:
        """A certificate with its key and this authority, as servers hand it out."""
        encryption = (
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption()
        )
        return pkcs12.serialize_key_and_certificates(
            b"device", issued.key, issued.certificate, [self.certificate] if with_ca else None,
            encryption,
        )  # fmt: skip

    def revoke(self, issued: Issued) -> None:
        self.revoked.append(issued.certificate.serial_number)

    def crl_pem(self) -> bytes:
        """The list of the revoked."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(self.name))
            .last_update(_now() - _DAY)
            .next_update(_now() + 30 * _DAY)
        )
        for serial in self.revoked:
            one = (
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(_now() - _DAY)
                .build()
            )
            builder = builder.add_revoked_certificate(one)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
