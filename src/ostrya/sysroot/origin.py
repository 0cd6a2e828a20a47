# SPDX-License-Identifier: Apache-2.0
"""Where a deployment came from, and what it follows. Pure.

::

    [origin]
    refspec=vendor:os/stable        what upgrades follow
    override-commit=5c…             stay at this commit of it
    unconfigured-state=Register!    what has to be done before anything can be followed
    unlocked=hotfix                 changed on purpose, and kept over restarts
    [libostree-transient]
    pinned=true                     never cleaned away

Other programs keep groups of their own there; they stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum, check_checksum
from ostrya.formats.keyfile import KeyFile
from ostrya.sysroot.errors import OriginInvalid

if TYPE_CHECKING:
    from typing import Self

_GROUP = "origin"
_TRANSIENT = "libostree-transient"


class Origin:
    """The origin of a deployment; every change makes a new one."""

    __slots__ = ("_keyfile",)

    def __init__(self, keyfile: KeyFile) -> None:
        self._keyfile = keyfile

    @classmethod
    def following(cls, refspec: str) -> Self:
        """Return the origin of a deployment that follows a ref."""
        keyfile = KeyFile()
        keyfile.set_string(_GROUP, "refspec", refspec)
        return cls(keyfile)

    @classmethod
    def empty(cls) -> Self:
        """Return an origin that says nothing."""
        return cls(KeyFile())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a file.

        Raises:
            OriginInvalid: It is no key file.
        """
        try:
            return cls(KeyFile.parse(text))
        except FormatError as exc:
            raise OriginInvalid(f"Invalid origin: {exc}") from None

    def to_text(self) -> str:
        """Give the text of the file."""
        return self._keyfile.to_text()

    @property
    def refspec(self) -> str | None:
        """What upgrades follow; None if nothing is said."""
        return self._text("refspec")

    @property
    def override_commit(self) -> Checksum | None:
        """The commit to stay at.

        Raises:
            OriginInvalid: It is no checksum.
        """
        text = self._text("override-commit")
        if text is None:
            return None
        try:
            return check_checksum(text)
        except FormatError as exc:
            raise OriginInvalid(f"Invalid override-commit: {exc}") from None

    @property
    def unlocked(self) -> str | None:
        """How it is unlocked over restarts: ``hotfix``, or None."""
        return self._text("unlocked")

    @property
    def unconfigured_state(self) -> str | None:
        """What has to be done before anything can be followed; None if nothing has."""
        return self._text("unconfigured-state")

    @property
    def pinned(self) -> bool:
        """Whether it is never cleaned away."""
        keyfile = self._keyfile
        if not (keyfile.has_group(_TRANSIENT) and keyfile.has_key(_TRANSIENT, "pinned")):
            return False
        try:
            return keyfile.get_boolean(_TRANSIENT, "pinned")
        except FormatError:
            # Whoever wrote it wants it kept, in words that nobody knows.
            return True

    def with_refspec(self, refspec: str) -> Origin:
        """Return it following another ref."""
        return self._with(_GROUP, "refspec", refspec)

    def with_override(self, commit: Checksum | None) -> Origin:
        """Return it staying at a commit, or at none."""
        return self._with(_GROUP, "override-commit", commit)

    def with_unlocked(self, how: str | None) -> Origin:
        """Return it unlocked, or not."""
        return self._with(_GROUP, "unlocked", how)

    def with_pinned(self, *, pinned: bool) -> Origin:
        """Return it pinned, or not."""
        return self._with(_TRANSIENT, "pinned", "true" if pinned else None)

    def for_next(self) -> Origin:
        """Return that of a deployment that comes after: without what is true of this one only."""
        keyfile = KeyFile.parse(self.with_override(None).with_unlocked(None).to_text())
        if keyfile.has_group(_TRANSIENT):
            keyfile.remove_group(_TRANSIENT)
        return Origin(keyfile)

    def _text(self, key: str) -> str | None:
        keyfile = self._keyfile
        if not (keyfile.has_group(_GROUP) and keyfile.has_key(_GROUP, key)):
            return None
        return keyfile.get_string(_GROUP, key)

    def _with(self, group: str, key: str, value: str | None) -> Origin:
        keyfile = KeyFile.parse(self._keyfile.to_text())
        if value is not None:
            keyfile.set_string(group, key, value)
        elif keyfile.has_group(group) and keyfile.has_key(group, key):
            keyfile.remove_key(group, key)
        return Origin(keyfile)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin) and self.to_text() == other.to_text()

    __hash__ = None  # type: ignore[assignment]  # it is looked at, not looked up
