# SPDX-License-Identifier: Apache-2.0
"""``passwd``, ``group``, ``shadow`` and ``gshadow``: accounts are added and changed. Pure.

What is there stays in its order; numbers are never given twice. The day of the last change of a
password is left empty, which means that it does not age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Group
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.image.recipe.values import Account

FILES = ("passwd", "group", "shadow", "gshadow")
_FIRST_USER, _LAST_USER = 1000, 59999
_FIRST_SYSTEM, _LAST_SYSTEM = 100, 999
_LOCKED = "!"


class Identity(NamedTuple):
    """Who somebody is.

    Attributes:
        name: What the account is called.
        uid: Its number.
        gid: That of its group.
        home: Its directory.
    """

    name: str
    uid: int
    gid: int
    home: str


class Accounts:
    """The accounts of a tree."""

    def __init__(self, texts: Mapping[str, str], *, shell: str = "/bin/sh") -> None:
        """Read files.

        Args:
            texts: By their names.
            shell: What is started after a login, where nothing is said.
        """
        self._shell = shell
        self._rows = {name: _parse(texts.get(name, "")) for name in FILES}
        self._had = {name for name in FILES if texts.get(name)}

    def texts(self) -> dict[str, str]:
        """Return the files; of ``gshadow`` only if it was there."""
        return {
            name: "".join(":".join(row) + "\n" for row in rows)
            for name, rows in self._rows.items()
            if name in self._had or (rows and name != "gshadow")
        }

    # -- looking

    def uid_of(self, name: str) -> int | None:
        """Return the number of a user; None if there is none."""
        row = self._find("passwd", name)
        return None if row is None else int(row[2])

    def gid_of(self, name: str) -> int | None:
        """Return the number of a group; None if there is none."""
        row = self._find("group", name)
        return None if row is None else int(row[2])

    def _find(self, file: str, name: str) -> list[str] | None:
        return next((row for row in self._rows[file] if row[0] == name and len(row) > 2), None)

    # -- changing

    def add_group(self, wanted: Group) -> int:
        """Make a group, if it is not there; return its number.

        Raises:
            SourceError: It has another number, or another group has that.
        """
        there = self.gid_of(wanted.name)
        if there is not None:
            if wanted.gid not in {None, there}:
                raise SourceError(
                    f"the group {wanted.name} is {there} in the tree, and {wanted.gid} in the "
                    "recipe"
                )
            return there
        gid = wanted.gid
        if gid is None:
            gid = self._free("group", range(_LAST_SYSTEM, _FIRST_SYSTEM - 1, -1))
        self._require_free("group", gid, wanted.name)
        self._rows["group"].append([wanted.name, "x", str(gid), ""])
        if "gshadow" in self._had:
            self._rows["gshadow"].append([wanted.name, _LOCKED, "", ""])
        return gid

    def add_user(self, wanted: Account) -> Identity:
        """Make an account, or change one that is there; who it is does not change.

        Raises:
            SourceError: It has another number, or somebody else has that.
        """
        row = self._find("passwd", wanted.name)
        if row is None:
            row = self._new_user(wanted)
        elif wanted.uid not in {None, int(row[2])}:
            raise SourceError(
                f"the user {wanted.name} is {row[2]} in the tree, and {wanted.uid} in the recipe"
            )
        for at, value in ((4, wanted.comment), (5, wanted.home), (6, wanted.shell)):
            row[at] = value or row[at]
        if wanted.password_hash is not None:
            self._set_password(wanted.name, wanted.password_hash)
        for name in wanted.groups:
            self._join(wanted.name, name)
        return Identity(row[0], int(row[2]), int(row[3]), row[5])

    def _new_user(self, wanted: Account) -> list[str]:
        uid = wanted.uid
        if uid is None:
            system = range(_LAST_SYSTEM, _FIRST_SYSTEM - 1, -1)
            uid = self._free("passwd", system if wanted.system else range(_FIRST_USER, _LAST_USER))
        self._require_free("passwd", uid, wanted.name)
        gid = wanted.gid
        if gid is None and self.gid_of(wanted.name) is None and not self._has("group", uid):
            gid = uid
        gid = self.add_group(Group(wanted.name, gid))
        home = "/nonexistent" if wanted.system else f"/home/{wanted.name}"
        shell = "/usr/sbin/nologin" if wanted.system else self._shell
        row = [wanted.name, "x", str(uid), str(gid), "", home, shell]
        self._rows["passwd"].append(row)
        self._rows["shadow"].append([wanted.name, _LOCKED, "", "0", "99999", "7", "", "", ""])
        return row

    def _set_password(self, name: str, value: str) -> None:
        row = self._find("shadow", name)
        if row is None:
            row = [name, _LOCKED, "", "0", "99999", "7", "", "", ""]
            self._rows["shadow"].append(row)
        row[1], row[2] = value, ""
        # What is in `passwd` itself would hold instead.
        entry = self._find("passwd", name)
        if entry is not None:
            entry[1] = "x"

    def _join(self, user: str, group: str) -> None:
        self.add_group(Group(group))
        for file in ("group", "gshadow"):
            row = self._find(file, group)
            if row is not None:
                members = [name for name in row[3].split(",") if name]
                row[3] = ",".join([*members, user] if user not in members else members)

    def _has(self, file: str, number: int) -> bool:
        return any(len(row) > 2 and row[2] == str(number) for row in self._rows[file])

    def _free(self, file: str, numbers: range) -> int:
        for number in numbers:
            # The same for both, so that a user's own group can have its number.
            if not self._has(file, number) and not self._has("group", number):
                return number
        raise SourceError("there is no number left for another account")

    def _require_free(self, file: str, number: int, name: str) -> None:
        for row in self._rows[file]:
            if len(row) > 2 and row[2] == str(number):
                raise SourceError(f"the number {number} is to be {name}'s, and {row[0]} has it")


def _parse(text: str) -> list[list[str]]:
    return [line.split(":") for line in text.splitlines() if line]
