# SPDX-License-Identifier: Apache-2.0
"""The option parser: GOption's grammar, as scripts written for ``ostree`` expect it.

Long options are spelled in full, ``--name=value`` or ``--name value``. Short ones may be bundled
(``-qa``); a short option's value is always the next argument. Options and positional arguments
mix freely; the first ``--`` ends the options and is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import Kind, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = bool | int | str | list[str]

_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no", "none"})


class HelpRequested(Exception):
    """``--help`` was met before anything wrong."""


class Arguments:
    """What a verb was given: its options by long name, and its positional arguments.

    Asking for an option that the verb does not declare is a mistake of ours: KeyError.
    """

    __slots__ = ("_kinds", "_values", "positionals")

    def __init__(self, options: Sequence[Option]) -> None:
        self._kinds = {option.name: option.kind for option in options}
        self._values: dict[str, Value] = {}
        self.positionals: list[str] = []

    def has(self, name: str) -> bool:
        """Say whether the verb declares an option of this name."""
        return name in self._kinds

    def flag(self, name: str) -> bool:
        """Return whether a flag was given."""
        self._check(name, Kind.FLAG)
        return name in self._values

    def text(self, name: str) -> str | None:
        """Return the value of a text option, None when not given."""
        self._check(name, Kind.TEXT)
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        """Return all values of an option that repeats."""
        self._check(name, Kind.TEXTS)
        value = self._values.get(name)
        return value if isinstance(value, list) else []

    def number(self, name: str) -> int | None:
        """Return the value of an integer option, None when not given."""
        self._check(name, Kind.NUMBER)
        value = self._values.get(name)
        return value if isinstance(value, int) else None

    def generations(self, name: str) -> int:
        """Return how many parents of a commit are wanted: 0 by default, -1 for all.

        Raises:
            UsageError: It is another negative number.
        """
        depth = self.number(name) or 0
        if depth < -1:
            raise UsageError(f"Invalid depth {depth}")
        return depth

    def boolean(self, name: str) -> bool | None:
        """Return the value of a truth option, None when not given."""
        self._check(name, Kind.BOOLEAN)
        value = self._values.get(name)
        return value if isinstance(value, bool) else None

    def store(self, option: Option, value: str, shown: str) -> None:
        """Take one occurrence of an option.

        Raises:
            UsageError: The value is not of the option's kind.
        """
        if not option.takes_path:
            require_text(f"The value of option {shown}", value)
        match option.kind:
            case Kind.FLAG:
                self._values[option.name] = True
            case Kind.TEXT:
                self._values[option.name] = value
            case Kind.TEXTS:
                self._values[option.name] = [*self.texts(option.name), value]
            case Kind.NUMBER:
                self._values[option.name] = _parse_int(value, shown)
            case Kind.BOOLEAN:
                self._values[option.name] = _parse_boolean(value)

    def _check(self, name: str, kind: Kind) -> None:
        if self._kinds[name] is not kind:
            raise KeyError(name)


def parse_arguments(options: Sequence[Option], argv: Sequence[str]) -> Arguments:
    """Parse the arguments of a verb, the verb itself left out.

    Raises:
        HelpRequested: ``--help``, ``-h`` or ``-?`` was met.
        UsageError: An option is unknown, lacks its value or has a wrong one.
    """
    return _Parser(options, argv).parse()


def take_verb(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take the verb out of a command line: the first argument that is no option.

    The value of a detached ``--repo PATH`` before the verb is not mistaken for it.
    """
    rest = list(argv)
    skip = False
    for index, argument in enumerate(rest):
        if skip:
            skip = False
        elif argument == "--repo":
            skip = True
        elif not argument.startswith("-"):
            del rest[index]
            return argument, rest
    return None, rest


class _Parser:
    """One pass over an argument list."""

    def __init__(self, options: Sequence[Option], argv: Sequence[str]) -> None:
        # Where two options share a name, the first one declared wins (`summary -v` is --view).
        self.long = {option.name: option for option in reversed(options)}
        self.short = {option.short: option for option in reversed(options) if option.short}
        self.argv = argv
        self.index = 0
        self.arguments = Arguments(options)

    def parse(self) -> Arguments:
        positionals = self.arguments.positionals
        while self.index < len(self.argv):
            argument = self.argv[self.index]
            self.index += 1
            if argument == "--":
                positionals.extend(self.argv[self.index :])
                break
            if argument.startswith("--"):
                self._take_long(argument)
            elif argument.startswith("-") and argument != "-":
                self._take_short(argument)
            else:
                positionals.append(argument)
        return self.arguments

    def _take_long(self, argument: str) -> None:
        name, equals, value = argument[2:].partition("=")
        option = self.long.get(name)
        if option is None:
            if argument in {"--help", "--help-all"}:
                raise HelpRequested
            raise UsageError(f"Unknown option {argument}")
        shown = f"--{name}"
        if not equals and option.kind is not Kind.FLAG:
            value = self._next_argument(shown)
        self.arguments.store(option, value, shown)

    def _take_short(self, argument: str) -> None:
        value_taken = False
        for letter in argument[1:]:
            option = self.short.get(letter)
            if option is None:
                if letter in "h?":
                    raise HelpRequested
                raise UsageError(f"Unknown option {argument}")
            value, shown = "", f"-{letter}"
            if option.kind is not Kind.FLAG:
                if value_taken:
                    raise UsageError(f"Error parsing option {shown}")
                value, value_taken = self._next_argument(shown), True
            self.arguments.store(option, value, shown)

    def _next_argument(self, shown: str) -> str:
        if self.index >= len(self.argv):
            raise UsageError(f"Missing argument for {shown}")
        self.index += 1
        return self.argv[self.index - 1]


def require_text(what: str, value: str) -> None:
    """Refuse bytes that are not text, which the command line gives us as surrogates.

    Raises:
        UsageError: ``what`` is not valid UTF-8.
    """
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} is not valid UTF-8") from None


def _parse_int(text: str, shown: str) -> int:
    """Parse as C's ``strtol`` with base 0 does, into an ``int``."""
    value = _c_integer(text)
    if value is None:
        raise UsageError(f"Cannot parse integer value “{text}” for {shown}")
    if not _INT_MIN <= value <= _INT_MAX:
        raise UsageError(f"Integer value “{text}” for {shown} out of range")
    return value


def _c_integer(text: str) -> int | None:
    digits = text.lstrip(" \t\n\v\f\r")
    sign = -1 if digits.startswith("-") else 1
    digits = digits[1:] if digits[:1] in {"-", "+"} else digits
    base = 10
    if digits[:2].lower() == "0x":
        digits, base = digits[2:], 16
    elif digits.startswith("0"):
        base = 8
    # int() is laxer than strtol: it takes underscores, signs and blanks of its own.
    if not digits.isascii() or not digits.isalnum():
        return None
    try:
        return sign * int(digits, base)
    except ValueError:
        return None


def _parse_boolean(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise UsageError(f"Invalid boolean argument '{text}'")
