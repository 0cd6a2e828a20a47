# SPDX-License-Identifier: Apache-2.0
"""Whether somebody has said yes to an update, where somebody has to.

An answer is about one update, by what identifies it; another one asks again. It is kept: who said
yes before the power failed is not asked twice.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.fields import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ostrya.uptane.client.installs import Target
    from ostrya.uptane.client.storage import Storage

_FACT = "consent"
LONGEST_POSTPONE_S = 30 * 24 * 3600


class Answer(StrEnum):
    """What somebody says to an update."""

    ACCEPT = "accept"
    DECLINE = "decline"
    POSTPONE = "postpone"


class Given(NamedTuple):
    """An answer that was given.

    Attributes:
        update: To which update.
        answer: What.
        until: When a postponed one is asked about again; None for any other.
    """

    update: str
    answer: Answer
    until: datetime | None = None


class Consent:
    """Asks for consent where that is required, and keeps the answers."""

    def __init__(self, storage: Storage, *, required: bool) -> None:
        self._storage = storage
        self.required = required

    def allows(self, update: str, now: datetime) -> bool:
        """Say whether an update may begin; what was declined may not, whether asked for or not."""
        given = self.given(update)
        if given is None:
            return not self.required
        if given.answer is Answer.POSTPONE:
            return not self.required and given.until is not None and now >= given.until
        return given.answer is Answer.ACCEPT

    def is_asked(self, update: str, now: datetime) -> bool:
        """Say whether somebody is to answer now."""
        if not self.required:
            return False
        given = self.given(update)
        return given is None or (given.until is not None and now >= given.until)

    def given(self, update: str) -> Given | None:
        """Return what was said to an update; None for nothing."""
        value = self._storage.fact(_FACT)
        if value is None:
            return None
        try:
            body = json.loads(value)
            until = body.get("until")
            found = Given(
                str(body["update"]),
                Answer(body["answer"]),
                None if until is None else parse_time(until, "until"),
            )
        except (ValueError, KeyError, TypeError, AttributeError, MetadataInvalid):
            # Of another program: it is asked again.
            return None
        return found if found.update == update else None

    def give(self, update: str, answer: Answer, now: datetime, seconds: int = 0) -> Given:
        """Keep an answer.

        Args:
            update: To which update.
            answer: What.
            now: When.
            seconds: After which a postponed one is asked about again.
        """
        until = None
        if answer is Answer.POSTPONE:
            until = now + timedelta(seconds=min(max(seconds, 0), LONGEST_POSTPONE_S))
        body = {"update": update, "answer": answer.value}
        if until is not None:
            body["until"] = format_time(until)
        self._storage.set_fact(_FACT, json.dumps(body, sort_keys=True).encode())
        return Given(update, answer, until)


def update_id(targets: Sequence[Target]) -> str:
    """Return what identifies an update: what the Director calls it, and what it consists of."""
    parts = sorted((one.serial, one.name, sorted(one.hashes.items())) for one in targets)
    body = json.dumps([[one.correlation_id for one in targets][:1], parts])
    return hashlib.sha256(body.encode()).hexdigest()[:32]
