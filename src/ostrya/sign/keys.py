# SPDX-License-Identifier: Apache-2.0
"""Key files: base64 lines, PEM blocks or plain lines, by engine.

::

    ed25519   one key in base64 a line; empty lines count for nothing
    spki      PEM blocks, "PUBLIC KEY" or "PRIVATE KEY"
    dummy     one key a line, as it is

Source: ostree-blob-reader-base64.c, ostree-blob-reader-pem.c, ostree-blob-reader-raw.c.
"""

from __future__ import annotations

import binascii
import re

from ostrya.sign.errors import InvalidKey

MAX_KEY_BYTES = 64 * 1024
"""No key of any engine is larger."""
MAX_KEYS = 10_000
"""As many in one file."""

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"


def decode_base64(text: bytes) -> bytes:
    """Decode base64 as GLib does: other characters and an incomplete end count for nothing."""
    kept = _NOT_BASE64.sub(b"", text)
    whole = kept[: len(kept) // 4 * 4]
    if b"=" not in whole:
        return binascii.a2b_base64(whole)
    return b"".join(_decode_group(whole[at : at + 4]) for at in range(0, len(whole), 4))


def _decode_group(group: bytes) -> bytes:
    bits = binascii.a2b_base64(group.replace(b"=", b"A"))
    if group[3:] != b"=":
        return bits
    return bits[:1] if group[2:3] == b"=" else bits[:2]


def parse_public_keys(engine: str, data: bytes) -> list[bytes]:
    """Return the public keys in the bytes of a file, without a look at what they hold.

    Raises:
        InvalidKey: A PEM block has no end or is of another kind, or there is too much.
    """
    return _parse(engine, data, b"PUBLIC KEY")


def parse_secret_keys(engine: str, data: bytes) -> list[bytes]:
    """Return the secret keys in the bytes of a file, without a look at what they hold.

    Raises:
        InvalidKey: A PEM block has no end or is of another kind, or there is too much.
    """
    return _parse(engine, data, b"PRIVATE KEY")


def parse_key_argument(engine: str, text: str) -> bytes:
    """Return a key as it is given on a command line or in a setting: in base64, but for dummy.

    Raises:
        InvalidKey: It is larger than any key.
    """
    encoded = text.encode("utf-8", "surrogateescape")
    if len(encoded) > 2 * MAX_KEY_BYTES:
        raise InvalidKey(f"Invalid {engine} key: it is larger than {MAX_KEY_BYTES} bytes")
    return encoded if engine == "dummy" else decode_base64(encoded)


def _parse(engine: str, data: bytes, label: bytes) -> list[bytes]:
    if engine == "spki":
        keys = _pem_blocks(data, label)
    else:
        lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
        filled = [line for line in lines if line.strip()]
        keys = filled if engine == "dummy" else [decode_base64(line) for line in filled]
    if len(keys) > MAX_KEYS:
        raise InvalidKey(f"{engine}: more than {MAX_KEYS} keys in one file")
    if any(len(key) > MAX_KEY_BYTES for key in keys):
        raise InvalidKey(f"{engine}: a key is larger than {MAX_KEY_BYTES} bytes")
    return keys


def _pem_blocks(data: bytes, wanted: bytes) -> list[bytes]:
    blocks: list[bytes] = []
    label: bytes | None = None
    body: list[bytes] = []
    for line in map(bytes.strip, data.split(b"\n")):
        begun, ended = _label(line, _BEGIN), _label(line, _END)
        if label is None:
            label, body = begun, []
        elif ended is None:
            body.append(line)
        elif ended != label:
            raise InvalidKey("Unmatched PEM header")
        else:
            if label != wanted:
                raise InvalidKey(f'Unexpected label "{label.decode("ascii", "backslashreplace")}"')
            blocks.append(decode_base64(b"".join(body)))
            label = None
    if label is not None:
        raise InvalidKey("PEM trailer not found")
    return blocks


def _label(line: bytes, prefix: bytes) -> bytes | None:
    if line.startswith(prefix) and line.endswith(_DASHES) and len(line) > len(prefix) + 5:
        return line[len(prefix) : -len(_DASHES)]
    return None
