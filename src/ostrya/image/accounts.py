# SPDX-License-Identifier: Apache-2.0
"""Users and groups by name, and whose numbers have changed since the release before. Pure.

A device keeps what it has in ``/var``, and files there belong to numbers. If a number belongs to
somebody else in the next release, so do they.

Source: passwd(5), group(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FIELDS = {"user": 7, "group": 4}
# Numbers that everybody may take: of the system, and of people.
_SYSTEM, _PEOPLE = range(100, 1000), range(1000, 60000)


class Accounts(NamedTuple):
    """Who there is.

    Attributes:
        users: Numbers of users by name.
        groups: Numbers of groups by name.
    """

    users: Mapping[str, int]
    groups: Mapping[str, int]


class Drift(NamedTuple):
    """A number that means something else than it did.

    Attributes:
        kind: ``user`` or ``group``.
        name: Whose it is now.
        number: The number.
        before: What that name had before; None for a new one.
        was: Whose the number was before; empty if nobody's.
    """

    kind: str
    name: str
    number: int
    before: int | None
    was: str

    def sentence(self) -> str:
        """Say it."""
        whose = f", which was {self.was}'s" if self.was and self.was != self.name else ""
        if self.before is None:
            return f"{self.kind} {self.name} is new and has {self.number}{whose}"
        return f"{self.kind} {self.name} has {self.number}{whose}; it had {self.before}"


def parse_accounts(passwd: str, group: str) -> Accounts:
    """Read ``passwd`` and ``group``; lines that are none are passed over, as glibc does."""
    return Accounts(_parse(passwd, "user"), _parse(group, "group"))


def merge_accounts(first: Accounts, second: Accounts) -> Accounts:
    """Return who is in either; the first one counts."""
    return Accounts({**second.users, **first.users}, {**second.groups, **first.groups})


def find_drift(old: Accounts, new: Accounts) -> list[Drift]:
    """Return what has changed, by kind and name: numbers of names, and names of numbers."""
    return [
        *_drift("user", old.users, new.users),
        *_drift("group", old.groups, new.groups),
    ]


def settle_numbers(old: Mapping[str, int], new: Mapping[str, int]) -> dict[int, int]:
    """Return which number becomes which, so that all names have their old ones.

    A new name whose number was somebody else's, or is wanted back, gets one that is free.

    Args:
        old: Numbers by name, in the release before.
        new: Numbers by name.
    """
    settled = {name: old[name] for name in new if name in old}
    # A number that several names share, in the new tree, has to stay one number.
    first_of: dict[int, str] = {}
    for name in sorted(new, key=lambda one: (one not in old, one)):
        first_of.setdefault(new[name], name)
    taken = {*old.values(), *new.values()}
    mapping: dict[int, int] = {}
    reserved = {*old.values()}
    for number, name in sorted(first_of.items()):
        wanted = settled.get(name)
        if wanted is None:
            wanted = number
            if number in reserved:
                wanted = _free(number, taken)
                taken.add(wanted)
        if wanted != number:
            mapping[number] = wanted
    return mapping


def rewrite_accounts(
    text: str, kind: str, users: Mapping[int, int], groups: Mapping[int, int]
) -> str:
    """Return ``passwd`` or ``group`` with other numbers; all else stays as it is."""
    lines = []
    for line in text.splitlines(keepends=True):
        fields = line.rstrip("\n").split(":")
        if len(fields) == _FIELDS[kind] and _is_number(fields[2]):
            if kind == "group":
                fields[2] = str(_mapped(fields[2], groups))
            else:
                fields[2] = str(_mapped(fields[2], users))
                if _is_number(fields[3]):
                    fields[3] = str(_mapped(fields[3], groups))
            lines.append(":".join(fields) + line[len(line.rstrip("\n")) :])
        else:
            lines.append(line)
    return "".join(lines)


def _mapped(number: str, mapping: Mapping[int, int]) -> int:
    return mapping.get(int(number), int(number))


def _parse(text: str, kind: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in text.splitlines():
        fields = line.split(":")
        # Lines that begin with + or - are about NIS, not about anybody here.
        is_somebody = len(fields) == _FIELDS[kind] and fields[0][:1] not in ("", "+", "-", "#")
        if is_somebody and _is_number(fields[2]):
            found.setdefault(fields[0], int(fields[2]))
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32


def _drift(kind: str, old: Mapping[str, int], new: Mapping[str, int]) -> Iterable[Drift]:
    owners: dict[int, str] = {}
    for name, number in old.items():
        owners.setdefault(number, name)
    shared = {number for name, number in old.items() if owners[number] != name}
    for name in sorted(new):
        number, before = new[name], old.get(name)
        was = owners.get(number, "")
        if before is not None and before != number:
            yield Drift(kind, name, number, before, was)
        elif before is None and was and number not in shared and new.get(was) != number:
            # Whoever had it is gone, or has another one: what was theirs becomes the new one's.
            yield Drift(kind, name, number, None, was)


def _free(near: int, taken: set[int]) -> int:
    for numbers in (_SYSTEM, _PEOPLE) if near < _PEOPLE.start else (_PEOPLE, _SYSTEM):
        # From above, as system users are given out.
        order = reversed(numbers) if numbers is _SYSTEM else numbers
        for number in order:
            if number not in taken:
                return number
    raise OverflowError("there is no number left for a user or group")
