# SPDX-License-Identifier: Apache-2.0
r"""What the tokens of variant text for numbers and strings stand for.

::

    integer   5  -0x2a  017 (octal)         as in C, at most 64 bits
    double    1.5e3  .5  0x1.8p3  -inf  nan
    string    \a \b \f \n \r \t \v   \u263a   \U0001f600   \ line end: nothing   \x: x itself
    bytes     \a \b \f \n \r \t \v   \101 (octal)        \ line end: nothing   \x: x itself

Source: the GVariant Text Format of GLib's manual.
"""

from __future__ import annotations

from ostrya.formats.gvariant.text_tokens import Place, text_error

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LINE_END = "\n"
_U64_LIMIT = 1 << 64
_DOUBLE = (
    r"[+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?"
    r"|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)"
)


def read_string(text: str, token: str, start: int) -> str:
    """Give the text that a quoted token stands for.

    Raises:
        GVariantError: Not closed, or an escape is not valid.
    """
    out = []
    at = 1
    while at < len(token) and token[at] != token[0]:
        if token[at] != "\\":
            out.append(token[at])
            at += 1
            continue
        escape = token[at + 1 : at + 2]
        at += 2
        if escape in ("u", "U"):
            width = 4 if escape == "u" else 8
            out.append(_read_unicode(text, token, at, start, width))
            at += width
        elif escape != _LINE_END:
            out.append(_ESCAPES.get(escape, escape))
    if at >= len(token):
        raise text_error(text, "unterminated string constant", Place(start, start + len(token)))
    return "".join(out)


def _read_unicode(text: str, token: str, at: int, start: int, width: int) -> str:
    end = at
    while end < at + width and token[end : end + 1] and token[end] in "0123456789abcdefABCDEF":
        end += 1
    value = int(token[at:end] or "0", 16)
    if end != at + width or not value or value > 0x10FFFF or 0xD800 <= value < 0xE000:
        message = f"invalid {width}-character unicode escape"
        raise text_error(text, message, Place(start + at, start + end))
    return chr(value)


def read_bytes(text: str, token: str, start: int) -> bytes:
    """Give the bytes that a quoted ``b`` token stands for, with the NUL that ends them.

    An escaped NUL ends them early, as in C.

    Raises:
        GVariantError: Not closed.
    """
    out = bytearray()
    quote = token[1]
    at = 2
    while at < len(token) and token[at] != quote:
        if token[at] != "\\":
            out += token[at].encode("utf-8")
            at += 1
            continue
        at += 1
        end = at
        while end < at + 3 and token[end : end + 1] and token[end] in "01234567":
            end += 1
        if end > at:
            out.append(int(token[at:end], 8) & 0xFF)
            at = end
            continue
        escape = token[at : at + 1]
        at += 1
        if escape != _LINE_END:
            out += _ESCAPES.get(escape, escape).encode("utf-8")
    if at >= len(token):
        raise text_error(text, "unterminated string constant", Place(start, start + len(token)))
    return bytes(out).split(b"\0", 1)[0] + b"\0"


def read_integer(text: str, token: str, start: int) -> int:
    """Give the integer that a token stands for, in the notations of C.

    Raises:
        GVariantError: Not an integer, or one beyond 64 bits.
    """
    sign = token[0] in "+-"
    at = 1 if sign else 0
    base, digits = 10, "0123456789"
    if token[at : at + 2].lower() == "0x" and token[at + 2 : at + 3].isalnum():
        base, digits = 16, "0123456789abcdefABCDEF"
        at += 2
    elif token[at : at + 1] == "0":
        base, digits = 8, "01234567"
    end = at
    while token[end : end + 1] and token[end] in digits:
        end += 1
    significant = token[at:end].lstrip("0")
    if len(significant) > 22 or int(significant or "0", base) >= _U64_LIMIT:
        raise text_error(text, "integer too big for any type", Place(start, start + len(token)))
    if end == at or end < len(token):
        bad = start + min(end, len(token) - 1)
        raise text_error(text, "invalid character in number", Place(bad, bad + 1))
    value = int(significant or "0", base)
    return -value if token[0] == "-" else value


def read_double(text: str, token: str, start: int) -> float:
    """Give the floating-point number that a token stands for.

    Raises:
        GVariantError: Not a number, or one that is too large.
    """
    import re

    match = re.match(_DOUBLE, token, re.IGNORECASE | re.ASCII)
    number = match[0].lower() if match else "0"
    end = match.end() if match else 0
    try:
        value = float.fromhex(number) if "0x" in number else float(number)
    except OverflowError:
        value = float("inf")
    if value in (float("inf"), float("-inf")) and "inf" not in number:
        raise text_error(text, "number too big for any type", Place(start, start + len(token)))
    if end < len(token):
        bad = Place(start + end, start + end + 1)
        raise text_error(text, "invalid character in number", bad)
    return value


def is_double(token: str) -> bool:
    """Say whether a number can only be a floating-point one."""
    return "." in token or ("e" in token and token[:2] != "0x") or "inf" in token or "nan" in token
