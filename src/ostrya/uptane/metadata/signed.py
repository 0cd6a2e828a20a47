# SPDX-License-Identifier: Apache-2.0
"""The envelope: signatures around what is signed.

Source: Uptane Standard 2.1.0, section 5.2.1; TUF specification 1.0, section 4.2.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import MetadataInvalid, ThresholdNotMet
from ostrya.uptane.metadata.canonical_json import ascii_bytes, canonical_bytes
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.keys import MAX_KEY_ID, MAX_KEYS, METHODS, Key, identity, is_signed_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ostrya.uptane.metadata.json_text import Json, Object
    from ostrya.uptane.metadata.secret_keys import SecretKey

MAX_SIGNATURES = 1000
MAX_THRESHOLD = 1000
_MAX_SIGNATURE_TEXT = 8192


class RoleKeys(NamedTuple):
    """Whose signatures count for a role, and how many there have to be.

    Attributes:
        key_ids: By which the keys beside it are called.
        threshold: How many of them have to sign.
        extra: Fields that are not known.
    """

    key_ids: tuple[str, ...]
    threshold: int
    extra: Mapping[str, Json] = {}

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        ids: list[Json] = list(self.key_ids)
        return {**self.extra, "keyids": ids, "threshold": self.threshold}


class Signature(NamedTuple):
    """One signature.

    Attributes:
        key_id: Of the key that made it.
        signature: Its bytes.
        method: How it was made; empty where that is not said.
        extra: Fields that are not known.
    """

    key_id: str
    signature: bytes
    method: str = ""
    extra: Mapping[str, Json] = {}


class Envelope(NamedTuple):
    """What is signed, and who signed.

    Attributes:
        dialect: How it is spelled.
        signatures: In their order.
        signed: What they are over.
        extra: Fields that are not known.
    """

    dialect: Dialect
    signatures: tuple[Signature, ...]
    signed: Object
    extra: Mapping[str, Json] = {}

    def signed_bytes(self) -> bytes:
        """Return the bytes that signatures are over."""
        return canonical_bytes(self.dialect, self.signed)

    def to_json(self) -> Object:
        """Return it as it is written, to be part of something."""
        signatures: list[Json] = [_write_signature(one, self.dialect) for one in self.signatures]
        return {**self.extra, "signatures": signatures, "signed": self.signed}

    def to_bytes(self) -> bytes:
        """Return the file: always the same for the same values."""
        return ascii_bytes(self.to_json())


def read_role_keys(fields: Fields) -> RoleKeys:
    """Read what says whose signatures count.

    Raises:
        MetadataInvalid: A key is named twice, or the threshold is none.
    """
    key_ids = fields.texts("keyids", MAX_KEYS)
    threshold = fields.integer("threshold", 1, MAX_THRESHOLD)
    return RoleKeys(key_ids, threshold, fields.rest())


def parse_envelope(data: bytes, dialect: Dialect, max_bytes: int, what: str) -> Envelope:
    """Read a file of metadata, without a look at its signatures.

    Raises:
        MetadataTooLarge: There is more than may be read.
        MetadataInvalid: It is none.
    """
    return read_envelope(parse_json(data, max_bytes, what), dialect, what)


def read_envelope(value: Json, dialect: Dialect, what: str) -> Envelope:
    """Read an envelope that is part of something.

    Raises:
        MetadataInvalid: It is none.
    """
    fields = Fields(value, what)
    listed = fields.array("signatures", MAX_SIGNATURES)
    signatures = tuple(_read_signature(one, dialect, what) for one in listed)
    if len({one.key_id for one in signatures}) != len(signatures):
        raise MetadataInvalid(f"{what} has two signatures by one key id")
    return Envelope(dialect, signatures, fields.mapping("signed"), fields.rest())


def sign(signed: Object, dialect: Dialect, secrets: Iterable[tuple[str, SecretKey]]) -> Envelope:
    """Sign something with keys, each with the id that it is known by."""
    empty = Envelope(dialect, (), signed)
    return add_signatures(empty, secrets)


def add_signatures(envelope: Envelope, secrets: Iterable[tuple[str, SecretKey]]) -> Envelope:
    """Sign with more keys; a signature that was there by the same key is replaced."""
    data = envelope.signed_bytes()
    found = {one.key_id: one for one in envelope.signatures}
    for key_id, secret in secrets:
        method = secret.method if envelope.dialect is Dialect.UPTANE else ""
        found[key_id] = Signature(key_id, secret.sign(data), method)
    return envelope._replace(signatures=tuple(found.values()))


def signers(envelope: Envelope, keys: Mapping[str, Key], role_keys: RoleKeys) -> set[bytes]:
    """Return the identities of the keys of a role that signed, each once, whatever it is called."""
    data = envelope.signed_bytes()
    found: set[bytes] = set()
    for one in envelope.signatures:
        key = keys.get(one.key_id)
        if key is None or one.key_id not in role_keys.key_ids:
            continue
        who = identity(key)
        if (
            who is not None
            and who not in found
            and is_signed_by(key, data, one.signature, one.method)
        ):
            found.add(who)
    return found


def require_threshold(
    envelope: Envelope, keys: Mapping[str, Key], role_keys: RoleKeys, what: str, role: str
) -> None:
    """Refuse what too few of the keys of a role signed.

    Raises:
        ThresholdNotMet: Too few did.
    """
    valid = len(signers(envelope, keys, role_keys))
    if valid < role_keys.threshold:
        raise ThresholdNotMet(what, role, valid, role_keys.threshold)


def _read_signature(value: Json, dialect: Dialect, what: str) -> Signature:
    fields = Fields(value, f"a signature of {what}")
    key_id = fields.text("keyid")
    if len(key_id) > MAX_KEY_ID:
        raise fields.wrong("keyid", f"longer than {MAX_KEY_ID} characters")
    text = fields.text("sig")
    if len(text) > _MAX_SIGNATURE_TEXT:
        raise fields.wrong("sig", f"longer than {_MAX_SIGNATURE_TEXT} characters")
    method = ""
    if dialect is Dialect.UPTANE:
        method = fields.text("method")
        if method.lower() not in METHODS:
            # As aktualizr: what signed so may be meant for more than is understood here.
            raise fields.wrong("method", f"{method[:40]!r}, which is not known")
    try:
        if dialect is Dialect.UPTANE:
            signature = base64.b64decode(text, validate=True)
        else:
            # python-tuf leaves an empty one for a key that has still to sign.
            signature = bytes.fromhex(text)
    except (ValueError, binascii.Error):
        raise fields.wrong("sig", "not encoded as it has to be") from None
    return Signature(key_id, signature, method, fields.rest())


def _write_signature(one: Signature, dialect: Dialect) -> Object:
    if dialect is Dialect.UPTANE:
        text = base64.b64encode(one.signature).decode()
        return {**one.extra, "keyid": one.key_id, "method": one.method, "sig": text}
    return {**one.extra, "keyid": one.key_id, "sig": one.signature.hex()}
