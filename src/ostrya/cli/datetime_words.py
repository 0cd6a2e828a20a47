# SPDX-License-Identifier: Apache-2.0
"""The words and numbers that a date in free form is made of."""

from __future__ import annotations

import re
import time
from enum import Enum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Sort(Enum):
    """What a token can stand for."""

    UNSIGNED = "number"
    SIGNED = "number with a sign"
    MERIDIAN = "am or pm"
    MONTH = "month"
    DAY = "day of the week"
    ZONE = "zone"
    SUMMER_ZONE = "zone with summer time"
    LOCAL_ZONE = "name of the local zone"
    SUMMER_TIME = "the word DST"
    UNIT = "unit of time"
    SHIFT = "today and its like"
    ORDINAL = "next, last, third"
    AGO = "ago"
    CHARACTER = "anything else"


class Token(NamedTuple):
    """One word, number or character.

    Attributes:
        sort: What it stands for.
        value: The number, month, weekday (0 is Sunday), minutes east of UTC, ...
        text: As written, in capitals.
        digits: How many digits the number has.
        fraction: Digits after its decimal point; empty for an integer.
    """

    sort: Sort
    value: int
    text: str
    digits: int = 0
    fraction: str = ""


class Unit(NamedTuple):
    """A unit of time: months and seconds count differently, days in between."""

    months: int = 0
    days: int = 0
    seconds: int = 0


UNITS = {
    "YEAR": Unit(months=12),
    "MONTH": Unit(months=1),
    "FORTNIGHT": Unit(days=14),
    "WEEK": Unit(days=7),
    "DAY": Unit(days=1),
    "HOUR": Unit(seconds=3600),
    "MINUTE": Unit(seconds=60),
    "MIN": Unit(seconds=60),
    "SECOND": Unit(seconds=1),
    "SEC": Unit(seconds=1),
}

_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY"),
    *("AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_DAY_NICKNAMES = {"TUES": 2, "WEDNES": 3, "THUR": 4, "THURS": 4}
_SHIFTS = {"TOMORROW": 1, "YESTERDAY": -1, "TODAY": 0, "NOW": 0}
_ORDINALS = {
    "LAST": -1,
    "THIS": 0,
    "NEXT": 1,
    "FIRST": 1,
    "THIRD": 3,
    "FOURTH": 4,
    "FIFTH": 5,
    "SIXTH": 6,
    "SEVENTH": 7,
    "EIGHTH": 8,
    "NINTH": 9,
    "TENTH": 10,
    "ELEVENTH": 11,
    "TWELFTH": 12,
}
# Hours east of UTC. Names mean different zones to different people, so only those that GNU's
# tools agree on are here; anybody in doubt writes +0200.
_ZONES = {
    name: float(hours)
    for hours, names in {
        "0": "Z WET",
        "1": "WAT CET MET MEZ",
        "2": "EET CAT SAST",
        "3": "EAT MSK",
        "5.5": "IST",
        "8": "SGT",
        "9": "KST JST",
        "10": "GST",
        "12": "NZST",
        "-4": "AST",
        "-5": "EST",
        "-6": "CST",
        "-7": "MST",
        "-8": "PST",
        "-9": "AKST",
        "-10": "HST",
    }.items()
    for name in names.split()
}
_SUMMER_ZONES = {
    "WEST": "WET",
    "BST": "WET",
    "CEST": "CET",
    "MEST": "CET",
    "MESZ": "CET",
    "EEST": "EET",
    "MSD": "MSK",
    "NZDT": "NZST",
    "ADT": "AST",
    "EDT": "EST",
    "CDT": "CST",
    "MDT": "MST",
    "PDT": "PST",
    "AKDT": "AKST",
}

_TOKEN = re.compile(
    r"""\s* (?:
        (?P<sign>[+-]\s*)? (?P<digits>[0-9]+) (?:[.,](?P<fraction>[0-9]+))?
      | (?P<word>[A-Za-z][A-Za-z.]*)
      | (?P<skipped>[+-])
      | (?P<comment>\([^()]*\))
      | (?P<character>\S)
    )""",
    re.VERBOSE,
)


def split_tokens(text: str) -> Iterator[Token | None]:
    """Yield the tokens of a date; None for a word that means nothing."""
    for match in _TOKEN.finditer(text.rstrip()):
        if match["digits"]:
            sign = -1 if (match["sign"] or "").startswith("-") else 1
            sort = Sort.SIGNED if match["sign"] else Sort.UNSIGNED
            value = sign * int(match["digits"])
            yield Token(
                sort, value, match[0].strip(), len(match["digits"]), match["fraction"] or ""
            )
        elif match["word"]:
            yield _find_word(match["word"].upper())
        elif match["character"]:
            yield Token(Sort.CHARACTER, 0, match["character"])


def _find_word(word: str) -> Token | None:
    sort_and_value = (
        _find_meridian_or_name(word) or _find_zone(word) or _find_unit_or_relative(word)
    )
    if sort_and_value is None and "." in word:
        sort_and_value = _find_zone(word.replace(".", ""))
    return None if sort_and_value is None else Token(*sort_and_value, word)


def _find_meridian_or_name(word: str) -> tuple[Sort, int] | None:
    if word in {"AM", "A.M."}:
        return Sort.MERIDIAN, 0
    if word in {"PM", "P.M."}:
        return Sort.MERIDIAN, 12
    stem = word[:3] if len(word) == 3 or (len(word) == 4 and word[3] == ".") else word
    for index, name in enumerate(_MONTHS, 1):
        if stem == name or (len(stem) == 3 and name.startswith(stem)) or word == name[:4] == "SEPT":
            return Sort.MONTH, index
    for index, name in enumerate(_DAYS):
        if stem == name or (len(stem) == 3 and name.startswith(stem)):
            return Sort.DAY, index
    return (Sort.DAY, _DAY_NICKNAMES[word]) if word in _DAY_NICKNAMES else None


def _find_zone(word: str) -> tuple[Sort, int] | None:
    if word in {"GMT", "UT", "UTC"}:
        return Sort.ZONE, 0
    # The local abbreviations are more likely to be right than the table.
    for is_summer, name in enumerate(time.tzname):
        if word == name:
            return Sort.LOCAL_ZONE, is_summer
    if word in _ZONES:
        return Sort.ZONE, int(_ZONES[word] * 60)
    if word in _SUMMER_ZONES:
        return Sort.SUMMER_ZONE, int(_ZONES[_SUMMER_ZONES[word]] * 60)
    return (Sort.SUMMER_TIME, 0) if word == "DST" else None


def _find_unit_or_relative(word: str) -> tuple[Sort, int] | None:
    if word in UNITS or word.removesuffix("S") in UNITS:
        return Sort.UNIT, 1
    if word in _SHIFTS:
        return Sort.SHIFT, _SHIFTS[word]
    if word in _ORDINALS:
        return Sort.ORDINAL, _ORDINALS[word]
    if word in {"AGO", "HENCE"}:
        return Sort.AGO, -1 if word == "AGO" else 1
    return (Sort.CHARACTER, 0) if word == "T" else None
