# SPDX-License-Identifier: Apache-2.0
"""Automatic rollback: what a boot loader decides about a new deployment. Pure.

A new deployment is on trial until the running system finds itself healthy. Its loader file carries
the deployment's identity and that it is on trial; beside it lies one record, about one identity::

    id      which deployment the record is about
    tries   how often it was started, as so many x
    end     how its trial ended: ok, or why it is bad; empty while it goes on
    once    a deployment that is to be started the next time only

A record about another deployment says nothing: what is on trial and not in the record has not been
started. So nothing has to be written before the loader file is swapped, and no record that was left
behind can hurt. Where the record is lost, a trial begins again. A start of what is not on trial, or
has stood its trial, writes nothing.

=====================  ==================  =========================  ==================
loader file            record              start                      record then
=====================  ==================  =========================  ==================
not on trial           any                 default                    stays
on trial               of another          default (trial)            id, x, -
on trial               same, tries < most  default (trial)            one x more
on trial               same, tries = most  fallback (fallback-tries)  id, -, tries
any                    same, bad           fallback (fallback-bad)    stays
on trial               same, ok            default                    stays
on trial               not writable        fallback (unwritable)      stays
default does not load  any                 fallback (fallback-load)   id, -, load
fallback neither       any                 default (last-resort)      stays
=====================  ==================  =========================  ==================

Without a fallback the default is started whatever the record says, and it is never on trial.
``boot/backends/uboot_trial`` and ``grub2_trial`` say the same in their loaders' languages; a test
runs all three through all states and all power cuts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.boot.errors import TrialStateInvalid
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

DEFAULT_TRIES = 3
MOST_TRIES = 9
# What the kernel's command line says of how a deployment came to be started.
PICK = "ostrya.pick"
_TRY = "x"
_IDENTITY = re.compile(r"[0-9a-f]{12}\.(0|[1-9][0-9]{0,8})-[0-9a-f]{4}")
_TRIES = re.compile(rf"{_TRY}{{0,{MOST_TRIES}}}")


class End(StrEnum):
    """How a trial ended; empty as long as it goes on."""

    OPEN = ""
    OK = "ok"
    TRIES = "tries"
    LOAD = "load"
    HEALTH = "health"
    MANUAL = "manual"

    @property
    def is_bad(self) -> bool:
        """Whether the deployment is not to be started again."""
        return self not in (End.OPEN, End.OK)


class Why(StrEnum):
    """Why a loader started what it started; empty for a start like any other."""

    USUAL = ""
    TRIAL = "trial"
    TRIES = "fallback-tries"
    BAD = "fallback-bad"
    LOAD = "fallback-load"
    UNWRITABLE = "fallback-unwritable"
    LAST = "last-resort"
    ONCE = "once"


VARIABLES = ("ostrya_id", "ostrya_try", "ostrya_end", "ostrya_once")


class Record(NamedTuple):
    """What is known of one trial.

    Attributes:
        identity: The deployment's; empty if nothing is known.
        tries: How often it was started.
        end: How it ended.
        once: The deployment to be started the next time only; empty for none.
    """

    identity: str = ""
    tries: int = 0
    end: End = End.OPEN
    once: str = ""

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Self:
        """Read it from a loader's variables; those of others are passed over.

        Raises:
            TrialStateInvalid: They say what nobody writes.
        """
        identity, tries, end, once = (variables.get(name, "") for name in VARIABLES)
        if not _TRIES.fullmatch(tries) or end not in tuple(End):
            raise TrialStateInvalid(f"the record of a trial says '{tries}', '{end}'")
        for one in (identity, once):
            if one and not is_identity(one):
                raise TrialStateInvalid(f"the record of a trial is about '{one}'")
        return cls(identity, len(tries), End(end), once)

    def to_variables(self) -> dict[str, str]:
        """Give a loader's variables, empty ones too."""
        values = (self.identity, _TRY * self.tries, self.end.value, self.once)
        return dict(zip(VARIABLES, values, strict=True))


class Trial(NamedTuple):
    """What the loader file says of the default and its fallback.

    Attributes:
        identity: The default's; empty if it has none.
        fallback: The fallback's; None if there is none, empty if it has no identity.
        on_trial: Whether the default is on trial.
        most: How often it may be started before that ends.
    """

    identity: str = ""
    fallback: str | None = None
    on_trial: bool = False
    most: int = DEFAULT_TRIES


class Start(NamedTuple):
    """What a loader does.

    Attributes:
        fallback: Whether it starts the fallback, not the default.
        why: What it tells the kernel.
        record: What it writes first; None if it writes nothing.
    """

    fallback: bool
    why: Why
    record: Record | None = None


def decide(trial: Trial, record: Record) -> Start:
    """Say what is started; what that takes is known to be there only when it is loaded.

    Args:
        trial: What the loader file says.
        record: The record; an empty one if both copies of it are lost.
    """
    if not record.once:
        return _decide(trial, record)
    # Written before anything is started: else the next start would be the same.
    rest = record._replace(once="")
    if record.once in (trial.identity, trial.fallback):
        return Start(record.once != trial.identity, Why.ONCE, rest)
    start = _decide(trial, rest)
    return start if start.record else start._replace(record=rest)


def _decide(trial: Trial, record: Record) -> Start:
    if not trial.identity or trial.fallback is None:
        return Start(fallback=False, why=Why.USUAL)
    is_same = record.identity == trial.identity
    if is_same and record.end.is_bad:
        return Start(fallback=True, why=Why.BAD)
    if not trial.on_trial or (is_same and record.end is End.OK):
        return Start(fallback=False, why=Why.USUAL)
    tries = record.tries if is_same else 0
    # Nine is the end whatever the loader file says: it may say less than it did.
    if tries in (trial.most, MOST_TRIES):
        return Start(fallback=True, why=Why.TRIES, record=Record(trial.identity, 0, End.TRIES))
    return Start(fallback=False, why=Why.TRIAL, record=Record(trial.identity, tries + 1))


def decide_unwritable(trial: Trial, record: Record) -> Start:
    """Say what is started if the record cannot be written: nothing that had to be counted."""
    wanted = _decide(trial, record._replace(once=""))
    if wanted.why is Why.TRIAL:
        return Start(fallback=True, why=Why.UNWRITABLE)
    return wanted._replace(record=None)


def after_failed_load(trial: Trial, start: Start) -> Start | None:
    """Say what is started after what was chosen could not be loaded; None to start over."""
    if start.why is Why.LAST or trial.fallback is None:
        return None
    if start.fallback:
        return Start(fallback=False, why=Why.LAST)
    record = Record(trial.identity, 0, End.LOAD) if trial.identity else None
    return Start(fallback=True, why=Why.LOAD, record=record)


def make_identity(checksum: str, serial: int, nonce: str) -> str:
    """Return the identity of a deployment.

    Args:
        checksum: Its commit.
        serial: Its serial.
        nonce: Four hex digits, drawn when it is made: serials begin at 0 again once all
            deployments of a commit are gone.
    """
    return f"{checksum[:12]}.{serial}-{nonce}"


def is_identity(text: str) -> bool:
    """Say whether a text can be the identity of a deployment."""
    return _IDENTITY.fullmatch(text) is not None
