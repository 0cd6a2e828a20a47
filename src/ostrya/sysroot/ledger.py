# SPDX-License-Identifier: Apache-2.0
"""Which releases were found good or bad here: ``ostree/ostrya/ledger.json``.

::

    {"version": 1,
     "good": ["3f9c01a2b4d5.0-7f3a", …],                    identities, the newest last
     "bad": [{"checksum": "77aa…", "identity": "77aa10cc02ee.1-01d3", "why": "tries",
              "detail": "…", "time": 1767225600}, …],       one of a commit, the newest last
     "last": {"checksum": …, "why": …, …},                  the rollback that happened last
     "complaint": {"identity": …, "detail": …}}             what failed in a trial that goes on

A loader's record is about one deployment, and forgets; this remembers, so that a bad release is not
installed again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, read_file
from ostrya.boot.install import make_dirs
from ostrya.boot.trial import is_identity
from ostrya.formats.checksum import Checksum, is_checksum
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from ostrya.sysroot.sysroot import Sysroot

FOLDER = "ostree/ostrya"
PATH = f"{FOLDER}/ledger.json"
_VERSION = 1
_MAX_BYTES = 1 << 20
# Of each kind; what is older is forgotten.
_MOST = 64
_MOST_DETAIL = 1000


class BadRelease(NamedTuple):
    """A release that did not stand its trial.

    Attributes:
        checksum: The commit.
        identity: Of the deployment that failed; empty if it had none.
        why: In one word: ``tries``, ``load``, ``health``, ``manual``, ``unwritable``.
        detail: In a sentence, what is known beyond that; may be empty.
        time: When it was noticed, in seconds since 1970.
    """

    checksum: Checksum
    identity: str
    why: str
    detail: str = ""
    time: int = 0

    def as_json(self) -> dict[str, object]:
        """Return it for a file, and for people's programs."""
        return {
            "checksum": self.checksum,
            "identity": self.identity,
            "why": self.why,
            # Else what is said could make the file larger than what is read.
            "detail": self.detail[:_MOST_DETAIL],
            "time": self.time,
        }

    @classmethod
    def from_json(cls, found: object) -> Self | None:
        """Read it; None for what is none."""
        if not isinstance(found, dict) or not isinstance(found.get("checksum"), str):
            return None
        if not is_checksum(found["checksum"]):
            return None
        time = found.get("time")
        return cls(
            Checksum(found["checksum"]),
            _line(found.get("identity", "")),
            _line(found.get("why", "")),
            _line(found.get("detail", "")),
            time if isinstance(time, int) else 0,
        )

    def describe(self) -> str:
        """Say in one sentence why it is bad."""
        said = _REASONS.get(self.why, self.why)
        return f"{said}: {self.detail}" if self.detail else said


def _line(value: object) -> str:
    """Return a text as it may be shown: programs of a bad release have said it."""
    text = str(value)[:_MOST_DETAIL]
    return "".join(letter if letter.isprintable() else " " for letter in text)


_REASONS = {
    "tries": "it did not come up, however often it was started",
    "load": "its kernel or ramdisk could not be loaded",
    "health": "its health checks failed",
    "manual": "somebody said so",
    "unwritable": "its starts could not be counted",
}


class Complaint(NamedTuple):
    """What a start on trial said of itself before it gave up; its trial goes on.

    Attributes:
        identity: Of the deployment.
        detail: What failed, in a sentence.
    """

    identity: str
    detail: str

    def as_json(self) -> dict[str, object]:
        """Return it for a file."""
        return {"identity": self.identity, "detail": self.detail[:_MOST_DETAIL]}

    @classmethod
    def from_json(cls, found: object) -> Self | None:
        """Read it; None for what is none."""
        if not isinstance(found, dict) or not is_identity(str(found.get("identity"))):
            return None
        return cls(found["identity"], _line(found.get("detail", "")))


class Ledger(NamedTuple):
    """What is remembered.

    Attributes:
        good: Identities of deployments that stood their trial, the newest last.
        bad: Releases that did not, the newest last.
        last: The rollback that happened last; None if there was none.
        complaint: What the last start on trial that could speak said of itself.
    """

    good: tuple[str, ...] = ()
    bad: tuple[BadRelease, ...] = ()
    last: BadRelease | None = None
    complaint: Complaint | None = None

    def words_of(self, identity: str) -> str:
        """Return what a deployment said of itself in its trial; empty if it said nothing."""
        complaint = self.complaint
        return complaint.detail if complaint is not None and complaint.identity == identity else ""

    def find_bad(self, checksum: str) -> BadRelease | None:
        """Find what is known against a commit."""
        return next((one for one in reversed(self.bad) if one.checksum == checksum), None)

    def with_good(self, identity: str, checksum: str) -> Ledger:
        """Return it knowing a deployment as good; what was said against its commit is forgotten."""
        good = (*(one for one in self.good if one != identity), identity)[-_MOST:]
        return Ledger(good, self._without(checksum), self.last)

    def with_bad(self, release: BadRelease) -> Ledger:
        """Return it knowing a release as bad; and that something was rolled back."""
        good = tuple(one for one in self.good if one != release.identity)
        return Ledger(good, (*self._without(release.checksum), release)[-_MOST:], release)

    def forgiving(self, checksum: str) -> Ledger:
        """Return it without what is said against a commit."""
        return self._replace(bad=self._without(checksum))

    def _without(self, checksum: str) -> tuple[BadRelease, ...]:
        return tuple(one for one in self.bad if one.checksum != checksum)


def read_ledger(sysroot: Sysroot) -> Ledger:
    """Read it; an empty one if there is none, or one that cannot be understood.

    Raises:
        OSError: It cannot be read.
    """
    try:
        data = json.loads(read_file(PATH, dir_fd=sysroot.dir_fd, max_bytes=_MAX_BYTES))
    except (FileNotFoundError, NotADirectoryError, FileTooLargeError, ValueError, RecursionError):
        # Nothing is decided by it that would be dangerous to forget.
        return Ledger()
    return _parse(data) if isinstance(data, dict) else Ledger()


def _parse(data: Mapping[str, object]) -> Ledger:
    good, bad = data.get("good"), data.get("bad")
    names = [one for one in good if isinstance(one, str)] if isinstance(good, list) else []
    releases = map(BadRelease.from_json, bad if isinstance(bad, list) else ())
    return Ledger(
        tuple(name for name in names if is_identity(name))[-_MOST:],
        tuple(one for one in releases if one is not None)[-_MOST:],
        BadRelease.from_json(data.get("last")),
        Complaint.from_json(data.get("complaint")),
    )


def write_ledger(sysroot: Sysroot, ledger: Ledger) -> None:
    """Write it; once this returns it survives a power cut.

    Raises:
        OSError: It cannot be written.
    """
    data = {
        "version": _VERSION,
        "good": list(ledger.good),
        "bad": [one.as_json() for one in ledger.bad],
        "last": None if ledger.last is None else ledger.last.as_json(),
        "complaint": None if ledger.complaint is None else ledger.complaint.as_json(),
    }
    make_dirs(FOLDER, dir_fd=sysroot.dir_fd)
    replace_file(PATH, json.dumps(data, indent=1).encode(), dir_fd=sysroot.dir_fd)
