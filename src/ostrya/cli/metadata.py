# SPDX-License-Identifier: Apache-2.0
"""``KEY=VALUE`` on the command line, as entries of a commit's or summary's dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.errors import FormatError
from ostrya.formats.gvariant.text_parser import parse_variant
from ostrya.formats.gvariant.vardict import Variant

if TYPE_CHECKING:
    from collections.abc import Iterable

Entry = tuple[str, Variant]


def string_entries(texts: Iterable[str]) -> list[Entry]:
    """Parse ``KEY=VALUE``, the value being text.

    Raises:
        UsageError: There is no ``=``.
    """
    return [(key, Variant("s", value)) for key, value in map(_split, texts)]


def variant_entries(texts: Iterable[str]) -> list[Entry]:
    """Parse ``KEY=VALUE``, the value being in GVariant's text form.

    Raises:
        UsageError: There is no ``=``.
        FormatError: The value cannot be parsed.
    """
    entries = []
    for text in texts:
        key, value = _split(text)
        try:
            entries.append((key, parse_variant(value)))
        except FormatError as exc:
            raise FormatError(f"Parsing {text}: {exc.message}") from exc
    return entries


def _split(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"Missing '=' in KEY=VALUE metadata '{text}'")
    return key, value
