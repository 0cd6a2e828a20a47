# SPDX-License-Identifier: Apache-2.0
"""Keys that are on a token, and never leave it: PKCS#11.

The key that signs reports is used through python-pkcs11, the extra ``pkcs11``; it is made on the
token where there is none. Those for TLS are used by libcurl's own TLS library, which is told where
they are by an address (RFC 7512): GnuTLS, which Debian's python3-pycurl is built on, knows all
modules of p11-kit; OpenSSL needs its provider for PKCS#11.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import quote

from ostrya.uptane.errors import ConfigError, IdentityError
from ostrya.uptane.metadata.keys import ED25519, RSA, Key, identity
from ostrya.uptane.metadata.secret_keys import KINDS, SecretKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pkcs11
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from ostrya.uptane.client.config import P11Section

_ID = re.compile(r"(?:[0-9a-fA-F]{2}){1,64}")
_ED25519 = "1.3.101.112"
_LABEL = "ostrya-uptane"
_SALT_BYTES = 32


def token_uri(p11: P11Section, object_id: str, kind: str, pin_path: str) -> str:
    """Return the address of an object, without the PIN, which is in a file.

    Args:
        p11: Which token.
        object_id: In hexadecimal digits.
        kind: ``cert`` or ``private``.
        pin_path: Where the PIN is; empty for none.

    Raises:
        ConfigError: The id is none.
    """
    raw = _raw_id(object_id)
    name = p11.label or _only_label(p11)
    label = f"token={quote(name, safe='')};" if name else ""
    shown = "".join(f"%{byte:02x}" for byte in raw)
    pin = f"?pin-source={quote(pin_path)}" if pin_path else ""
    return f"pkcs11:{label}id={shown};type={kind}{pin}"


def _only_label(p11: P11Section) -> str:
    """Return what the one token of a module is called; empty where nobody can say.

    Without it, GnuTLS tries the PIN on other modules' tokens too, and gives up at the first.
    """
    try:
        return _token(p11).label if p11.module else ""
    except (ImportError, ConfigError, OSError, RuntimeError):
        return ""


def open_token_key(p11: P11Section, kind: str) -> SecretKey:
    """Return the key on a token that signs reports; it is made if there is none.

    Args:
        p11: Which token, and which key.
        kind: Of which kind it is made, one of ``KINDS``.

    Raises:
        ConfigError: The token cannot be found, or not be opened.
        IdentityError: The key is of no kind that can be used.
    """
    raw = _raw_id(p11.uptane_key_id)
    with _session(p11, writable=False) as session:
        key = _find(session, raw)
    if key is None:
        with _session(p11, writable=True) as session:
            _make(session, raw, kind)
            key = _find(session, raw)
    if key is None:
        raise IdentityError(f"the token has no key {p11.uptane_key_id}, and took none")
    signer = _Signer(p11, raw, key.kind)
    # Used as a key of cryptography's: it signs, and gives away nothing else.
    return SecretKey(key, cast("RSAPrivateKey", signer))


def read_token_certificate(p11: P11Section, object_id: str) -> bytes:
    """Return a certificate that is on a token, in PEM.

    Raises:
        ConfigError: The token cannot be found or opened, or has no such certificate.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    raw = _raw_id(object_id)
    with _session(p11, writable=False) as session:
        from pkcs11 import Attribute, ObjectClass

        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: raw}
        found = [bytes(one[Attribute.VALUE]) for one in session.get_objects(wanted)]
    if not found:
        raise ConfigError(f"the token has no certificate {object_id}", hint="see [p11]")
    try:
        return x509.load_der_x509_certificate(found[0]).public_bytes(Encoding.PEM)
    except (ValueError, x509.InvalidVersion):
        raise ConfigError(f"the certificate {object_id} of the token is none") from None


class _Signs(Protocol):
    """A private key of python-pkcs11's, which makes its methods at run time."""

    def sign(self, data: bytes, **options: object) -> bytes:
        """Sign."""


class _Signer:
    """Signs on the token, which may be taken out between two signatures."""

    def __init__(self, p11: P11Section, raw_id: bytes, kind: str) -> None:
        self._p11 = p11
        self._raw_id = raw_id
        self._kind = kind

    def sign(self, data: bytes, *_scheme: object) -> bytes:
        """Return a signature, by the one scheme of the key's kind."""
        from pkcs11 import MGF, Mechanism, ObjectClass

        with _session(self._p11, writable=False) as session:
            found = session.get_key(object_class=ObjectClass.PRIVATE_KEY, id=self._raw_id)
            key = cast("_Signs", found)
            if self._kind == ED25519:
                return bytes(key.sign(data, mechanism=Mechanism.EDDSA))
            parameters = (Mechanism.SHA256, MGF.SHA256, _SALT_BYTES)
            return bytes(
                key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=parameters)
            )


def _raw_id(object_id: str) -> bytes:
    if not _ID.fullmatch(object_id):
        raise ConfigError(
            f"{object_id!r} of [p11] is no id of an object",
            hint="it is hexadecimal: 03, say",
        )
    return bytes.fromhex(object_id)


@contextmanager
def _session(p11: P11Section, *, writable: bool) -> Iterator[pkcs11.Session]:
    try:
        import pkcs11
    except ImportError:
        raise ConfigError(
            "keys on a token need python-pkcs11", hint="install ostrya[pkcs11]"
        ) from None
    try:
        with _token(p11).open(rw=writable, user_pin=p11.pass_ or None) as session:
            yield session
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as exc:
        # Some of these errors have no words but their class.
        words = str(exc) or type(exc).__name__
        raise ConfigError(
            f"the token of {p11.module or 'no module'} cannot be used: {words}",
            hint="see module, pass and label of [p11]",
        ) from exc


def _token(p11: P11Section) -> pkcs11.Token:
    import pkcs11

    library = pkcs11.lib(p11.module)
    # One may have been made since the library was loaded.
    library.reinitialize()
    flag = pkcs11.TokenFlag.TOKEN_INITIALIZED
    tokens = [slot.get_token() for slot in library.get_slots(token_present=True)]
    found = [
        one for one in tokens if flag in one.flags and (not p11.label or one.label == p11.label)
    ]
    if len(found) != 1:
        labels = ", ".join(one.label for one in found) or "none"
        raise ConfigError(
            f"one token is wanted of {p11.module}, and there are: {labels}",
            hint="label of [p11] names one",
        )
    return found[0]


def _find(session: pkcs11.Session, raw_id: bytes) -> Key | None:
    import pkcs11

    try:
        public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, id=raw_id)
    except pkcs11.NoSuchKey:
        return None
    key = _public(cast("pkcs11.PublicKey", public))
    if identity(key) is None:
        raise IdentityError(f"the key {raw_id.hex()} of the token is of no kind that can be used")
    return key


def _public(public: pkcs11.PublicKey) -> Key:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from pkcs11 import Attribute, KeyType

    if public.key_type is KeyType.RSA:
        exponent = int.from_bytes(public[Attribute.PUBLIC_EXPONENT], "big")
        modulus = int.from_bytes(public[Attribute.MODULUS], "big")
        loaded = RSAPublicNumbers(exponent, modulus).public_key()
        pem = loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return Key(RSA.upper(), "", pem.decode())
    if public.key_type is KeyType.EC_EDWARDS:
        # The point, in an OCTET STRING, or as modules spell it that have not read that far.
        return Key(ED25519.upper(), "", bytes(public[Attribute.EC_POINT])[-32:].hex())
    return Key(public.key_type.name, "", "")


def _make(session: pkcs11.Session, raw_id: bytes, kind: str) -> None:
    from pkcs11 import Attribute, KeyType, Mechanism
    from pkcs11.util.ec import encode_named_curve_parameters

    if kind == ED25519:
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)}
        parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
        parameters.generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, id=raw_id, label=_LABEL, store=True
        )
    else:
        session.generate_keypair(KeyType.RSA, KINDS[kind], id=raw_id, label=_LABEL, store=True)
