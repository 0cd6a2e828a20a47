# SPDX-License-Identifier: Apache-2.0
"""Dates in free form, as GNU ``date --date`` reads them.

``@1234567890``, ``2005-10-29 12:43:29 +0000``, ``29 Oct 2005``, ``10/29/2005 5pm``, ``yesterday``,
``2 days ago``, ``next friday``, ``last week``, ``now``. A date without a time means midnight; a
relative date keeps the time of day. Zones apply to the clock time given; hours, minutes and
seconds are added last.

Source: the manual of GNU coreutils, "Date input formats"; tests compare with ``date``.
"""

from __future__ import annotations

import time
from calendar import monthrange, timegm

from ostrya.cli.datetime_words import UNITS, Sort, Token, Unit, split_tokens
from ostrya.cli.errors import UsageError


class _Nonsense(Exception):
    """The text is no date."""


def parse_datetime(text: str, *, now: int) -> int:
    """Return the time that a text means, in seconds since the epoch, rounded down.

    Args:
        text: What the user typed.
        now: The time that relative dates start from, in seconds since the epoch.

    Raises:
        UsageError: The text is no date.
    """
    tokens = list(split_tokens(text))
    known = [token for token in tokens if token is not None]
    try:
        if len(known) != len(tokens):
            raise _Nonsense
        if known and known[0].text == "@":
            return _epoch_seconds(known[1:])
        return _Reader(known, now).read().resolve()
    except (_Nonsense, OverflowError, ValueError) as exc:
        raise UsageError(f"Could not parse '{text}'") from exc


def _epoch_seconds(tokens: list[Token]) -> int:
    if len(tokens) != 1 or tokens[0].sort not in {Sort.UNSIGNED, Sort.SIGNED}:
        raise _Nonsense
    token = tokens[0]
    below_zero = token.text.startswith("-") and token.fraction.strip("0")
    return token.value - (1 if below_zero else 0)


class _Moment:
    """What has been read so far."""

    def __init__(self, now: int) -> None:
        local = time.localtime(now)
        self.year, self.month, self.day = local.tm_year, local.tm_mon, local.tm_mday
        self.clock = (local.tm_hour, local.tm_min, local.tm_sec)
        self.year_given = False
        self.summer = local.tm_isdst
        self.zone_minutes = 0
        self.weekday = 0
        self.weekday_ordinal = 0
        self.relative = Unit()
        self.seen = dict.fromkeys(("time", "date", "day", "zone", "local zone", "relative"), 0)

    def set_clock(self, hour: int, minute: int, second: int, meridian: int | None) -> None:
        if meridian is not None:
            if not 1 <= hour <= 12:
                raise _Nonsense
            hour = hour % 12 + meridian
        self.clock = (hour, minute, second)
        self.seen["time"] += 1

    def set_date(self, year: Token | None, month: int, day: int) -> None:
        if year is not None:
            self.set_year(abs(year.value), year.digits)
        self.month, self.day = month, day
        self.seen["date"] += 1

    def set_year(self, year: int, digits: int) -> None:
        if digits == 2:
            year += 2000 if year < 69 else 1900
        self.year, self.year_given = year, True

    def set_zone(self, minutes: int) -> None:
        if abs(minutes) > 24 * 60:
            raise _Nonsense
        self.zone_minutes = minutes
        self.seen["zone"] += 1

    def add(self, amount: int, unit: Unit) -> None:
        old = self.relative
        self.relative = Unit(*(a + amount * b for a, b in zip(old, unit, strict=True)))
        self.seen["relative"] += 1

    def resolve(self) -> int:
        """Return the seconds since the epoch."""
        seen = self.seen
        zones = seen["zone"] + seen["local zone"]
        if max(seen["time"], seen["date"], seen["day"], zones) > 1:
            raise _Nonsense
        if not seen["time"] and (seen["date"] or seen["day"] or not seen["relative"]):
            self.clock = (0, 0, 0)
        self._check()
        # An absolute time leaves it to the zone's rules whether it is summer time.
        absolute = seen["time"] or seen["date"] or seen["day"]
        summer = -1 if absolute and not seen["local zone"] else self.summer
        fields: tuple[int, ...] = (self.year, self.month, self.day, *self.clock)
        self._check_exists(fields, summer)
        if seen["day"] and not seen["date"]:
            fields = self._move_to_weekday(fields)
            summer = -1
        year, month, day, *clock = fields
        months = year * 12 + month - 1 + self.relative.months
        day += self.relative.days
        moved = (months // 12, months % 12 + 1, day, *clock)
        return self._to_epoch(moved, summer) + self.relative.seconds

    def _to_epoch(self, fields: tuple[int, ...], summer: int) -> int:
        if self.seen["zone"]:
            return timegm((*fields, 0, 0, 0)) - self.zone_minutes * 60
        return int(time.mktime((*fields, 0, 0, summer)))  # type: ignore[arg-type] # nine fields

    def _check(self) -> None:
        hour, minute, second = self.clock
        if not (1 <= self.month <= 12 and 0 <= hour < 24 and 0 <= minute < 60 and second < 60):
            raise _Nonsense
        if not 1 <= self.day <= monthrange(self.year, self.month)[1]:
            raise _Nonsense

    def _check_exists(self, fields: tuple[int, ...], summer: int) -> None:
        """Refuse a clock time that the change to summer time leaves out."""
        if not self.seen["zone"] and time.localtime(self._to_epoch(fields, summer))[:6] != fields:
            raise _Nonsense

    def _move_to_weekday(self, fields: tuple[int, ...]) -> tuple[int, ...]:
        year, month, day, *clock = fields
        today = (time.gmtime(timegm((year, month, day, 0, 0, 0))).tm_wday + 1) % 7
        weeks = self.weekday_ordinal
        if weeks > 0 and today != self.weekday:
            weeks -= 1
        return (year, month, day + (self.weekday - today) % 7 + 7 * weeks, *clock)


class _Reader:
    """Takes tokens from the left, the longest phrase that fits first."""

    def __init__(self, tokens: list[Token], now: int) -> None:
        self.tokens = tokens
        self.index = 0
        self.moment = _Moment(now)

    def read(self) -> _Moment:
        while self.index < len(self.tokens):
            if not (
                self._read_time()
                or self._read_date()
                or self._read_relative()
                or self._read_weekday()
                or self._read_zone()
                or self._read_bare_number()
            ):
                raise _Nonsense
        return self.moment

    def _take(self, *pattern: Sort | str) -> list[Token] | None:
        """Take the next tokens if they fit a pattern of sorts and characters."""
        window = self.tokens[self.index : self.index + len(pattern)]
        if len(window) < len(pattern) or not all(map(_fits, window, pattern)):
            return None
        self.index += len(pattern)
        return window

    def _peek(self, *pattern: Sort | str) -> bool:
        start = self.index
        found = self._take(*pattern) is not None
        self.index = start
        return found

    # ------------------------------------------------------------------ times

    def _read_time(self) -> bool:
        if found := self._take(Sort.UNSIGNED, Sort.MERIDIAN):
            self.moment.set_clock(found[0].value, 0, 0, found[1].value)
            return True
        if (found := self._take(Sort.UNSIGNED, ":", Sort.UNSIGNED)) is None:
            return False
        seconds = self._take(":", Sort.UNSIGNED)
        second = seconds[1].value if seconds else 0
        meridian = self._take(Sort.MERIDIAN)
        if meridian is None:
            self._read_offset()
        self.moment.set_clock(
            found[0].value, found[2].value, second, meridian[0].value if meridian else None
        )
        return True

    def _read_offset(self, base_minutes: int | None = None) -> bool:
        """Take ``+0200``, ``+02:00`` or ``+2``; without a base it belongs to a clock time."""
        found = self._take(Sort.SIGNED)
        if found is None:
            return False
        token = found[0]
        tail = self._take(":", Sort.UNSIGNED)
        hours, minutes = divmod(abs(token.value), 100)
        if tail:
            hours, minutes = abs(token.value), tail[1].value
        elif token.digits <= 2:
            hours, minutes = abs(token.value), 0
        offset = (hours * 60 + minutes) * (-1 if token.text.startswith("-") else 1)
        self.moment.set_zone((base_minutes or 0) + offset)
        return True

    # ------------------------------------------------------------------ dates

    def _read_date(self) -> bool:
        return self._read_iso_date() or self._read_slashed_date() or self._read_named_date()

    def _read_iso_date(self) -> bool:
        found = self._take(Sort.UNSIGNED, Sort.SIGNED, Sort.SIGNED)
        if found is None:
            return False
        year, month, day = found
        self.moment.set_date(year, -month.value, -day.value)
        if self._peek("T", Sort.UNSIGNED):
            self._take("T")
            if not self._read_time():
                self._read_hour_with_offset()
        return True

    def _read_hour_with_offset(self) -> None:
        found = self._take(Sort.UNSIGNED)
        if found is None or not self._read_offset():
            raise _Nonsense
        self.moment.set_clock(found[0].value, 0, 0, None)

    def _read_slashed_date(self) -> bool:
        found = self._take(Sort.UNSIGNED, "/", Sort.UNSIGNED)
        if found is None:
            return False
        first, _, second = found
        third = self._take("/", Sort.UNSIGNED)
        if third and first.digits >= 4:
            self.moment.set_date(first, second.value, third[1].value)
        else:
            self.moment.set_date(third[1] if third else None, first.value, second.value)
        return True

    def _read_named_date(self) -> bool:
        if found := self._take(Sort.UNSIGNED, Sort.MONTH):
            day, month = found
            # What follows "17 June" is a year, unless it begins a phrase of its own.
            year = self._take(Sort.SIGNED) or (
                None if self._peek(Sort.UNSIGNED, ":") else self._take(Sort.UNSIGNED)
            )
            self.moment.set_date(year[0] if year else None, month.value, day.value)
            return True
        if found := self._take(Sort.MONTH, Sort.SIGNED, Sort.SIGNED):
            self.moment.set_date(found[2], found[0].value, -found[1].value)
            return True
        if found := self._take(Sort.MONTH, Sort.UNSIGNED):
            month, day = found
            year = self._take(",", Sort.UNSIGNED)
            self.moment.set_date(year[1] if year else None, month.value, day.value)
            return True
        return False

    # ------------------------------------------------------- relative and the rest

    def _read_relative(self) -> bool:
        if found := self._take(Sort.SHIFT):
            self.moment.add(found[0].value, UNITS["DAY"])
            return True
        for sort in (Sort.UNSIGNED, Sort.SIGNED, Sort.ORDINAL):
            if found := self._take(sort, Sort.UNIT):
                self._add(found[0].value, found[1], found[0].fraction)
                return True
        if found := self._take(Sort.UNIT):
            self._add(1, found[0])
            return True
        return False

    def _add(self, amount: int, unit_token: Token, fraction: str = "") -> None:
        unit = UNITS.get(unit_token.text) or UNITS[unit_token.text.removesuffix("S")]
        if fraction and unit != UNITS["SECOND"]:
            raise _Nonsense
        ago = self._take(Sort.AGO)
        self.moment.add(amount * (ago[0].value if ago else 1), unit)

    def _read_weekday(self) -> bool:
        moment = self.moment
        for sort in (Sort.ORDINAL, Sort.UNSIGNED):
            if found := self._take(sort, Sort.DAY):
                moment.weekday_ordinal, moment.weekday = found[0].value, found[1].value
                moment.seen["day"] += 1
                return True
        if found := self._take(Sort.DAY):
            self._take(",")
            moment.weekday_ordinal, moment.weekday = 0, found[0].value
            moment.seen["day"] += 1
            return True
        return False

    def _read_zone(self) -> bool:
        if found := self._take(Sort.LOCAL_ZONE):
            summer = self._take(Sort.SUMMER_TIME) is not None
            self.moment.summer = 1 if summer else found[0].value
            self.moment.seen["local zone"] += 1
            return True
        if found := self._take(Sort.SUMMER_ZONE):
            self.moment.set_zone(found[0].value + 60)
            return True
        if found := self._take(Sort.ZONE):
            if self._take(Sort.SUMMER_TIME):
                self.moment.set_zone(found[0].value + 60)
            elif self._peek(Sort.SIGNED, Sort.UNIT) or not self._read_offset(found[0].value):
                self.moment.set_zone(found[0].value)
            return True
        return False

    def _read_bare_number(self) -> bool:
        found = self._take(Sort.UNSIGNED)
        if found is None or found[0].fraction:
            return False
        token, moment = found[0], self.moment
        seen = moment.seen
        if (
            seen["date"]
            and not moment.year_given
            and not seen["relative"]
            and (seen["time"] or token.digits > 2)
        ):
            moment.set_year(token.value, token.digits)
        elif token.digits > 4:
            year = Token(Sort.UNSIGNED, token.value // 10000, token.text, token.digits - 4)
            moment.set_date(year, token.value // 100 % 100, token.value % 100)
        elif self._peek(Sort.SIGNED) and not self._peek(Sort.SIGNED, Sort.UNIT):
            self._read_offset()
            moment.set_clock(token.value, 0, 0, None)
        else:
            hour, minute = (token.value, 0) if token.digits <= 2 else divmod(token.value, 100)
            moment.set_clock(hour, minute, 0, None)
        return True


def _fits(token: Token, wanted: Sort | str) -> bool:
    if isinstance(wanted, str):
        return token.sort is Sort.CHARACTER and token.text == wanted
    return token.sort is wanted
