# SPDX-License-Identifier: Apache-2.0
"""JSON that strangers wrote: bounded in size and depth before it is parsed, and unambiguous after.

Refused is what two programs could understand differently: keys that come twice, numbers that are no
integers of 64 bits, a byte order mark, text that is not UTF-8 or not in Normalization Form C.

Source: Uptane Standard 2.1.0, section 5.2 (strings are in NFC); RFC 7493 for the rest.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import NoReturn, TypeAlias

from ostrya.uptane.errors import MetadataInvalid, MetadataTooLarge

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = "dict[str, Json]"

MAX_DEPTH = 64
_INT_LIMIT = 1 << 63
_INT_DIGITS = 20
# Possessive: a string without an end is looked at once.
_NESTING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def parse_json(data: bytes, max_bytes: int, what: str) -> Json:
    """Return the value of a JSON text.

    Args:
        data: The text.
        max_bytes: How large it may be.
        what: Its name, for errors.

    Raises:
        MetadataTooLarge: It is larger, or too deep.
        MetadataInvalid: It is no JSON, or could be understood in more than one way.
    """
    if len(data) > max_bytes:
        raise MetadataTooLarge(f"{what} has more than {max_bytes} bytes")
    if _depth(data) > MAX_DEPTH:
        raise MetadataTooLarge(f"{what} is nested more than {MAX_DEPTH} deep")
    try:
        text = data.decode()
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
    except _Refused as exc:
        raise MetadataInvalid(f"{what}: {exc}") from None
    except UnicodeDecodeError:
        raise MetadataInvalid(f"{what} is not UTF-8") from None
    except (ValueError, RecursionError) as exc:
        raise MetadataInvalid(f"{what} is no JSON: {exc}") from None
    if not (text.isascii() and "\\u" not in text):
        _check_text(value, what)
    return value


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for token in _NESTING.finditer(data):
        mark = data[token.start()]
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    return deepest


class _Refused(ValueError):
    """A part of the text is not to be accepted."""


def _object(pairs: list[tuple[str, Json]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"the key {key!r} comes twice")
            seen.add(key)
    return found


def _refuse_number(text: str) -> NoReturn:
    raise _Refused(f"the number {text[:40]} is no integer")


def _integer(text: str) -> int:
    if len(text) > _INT_DIGITS or not -_INT_LIMIT <= int(text) < _INT_LIMIT:
        raise _Refused(f"the number {text[:_INT_DIGITS]}… does not fit into 64 bits")
    return int(text)


def _check_text(value: Json, what: str) -> None:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending += one.keys()
            pending += one.values()
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, str) and not one.isascii():
            check_string(one, what)


def check_string(text: str, what: str) -> None:
    """Refuse text that is not one of Unicode's characters in Normalization Form C.

    Raises:
        MetadataInvalid: It is not.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MetadataInvalid(f"{what}: {text[:40]!r} has half a character") from None
    if not unicodedata.is_normalized("NFC", text):
        raise MetadataInvalid(f"{what}: {text[:40]!r} is not in Normalization Form C")
