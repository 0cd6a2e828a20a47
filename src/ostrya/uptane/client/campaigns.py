# SPDX-License-Identifier: Apache-2.0
"""What a user is asked about, and what was answered: an answer is an event.

Source: aktualizr's campaign reports.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.uptane.client.answers import one_line
from ostrya.uptane.client.event_queue import Event, queue_event
from ostrya.uptane.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.client.storage import Storage

_MAX_ID = 300


class CampaignAnswer(StrEnum):
    """What a user says."""

    ACCEPT = "campaign_accepted"
    DECLINE = "campaign_declined"
    POSTPONE = "campaign_postponed"


def answer_campaign(
    storage: Storage, campaign_id: str, answer: CampaignAnswer, now: datetime
) -> None:
    """Queue what a user says of a campaign: it is handed in also if the server is away just now.

    Raises:
        ConfigError: That is no id.
        StorageError: It cannot be kept.
    """
    if not campaign_id or len(campaign_id) > _MAX_ID or one_line(campaign_id) != campaign_id:
        raise ConfigError(
            f"{campaign_id!r} is no id of a campaign", hint="`ostrya ota campaign list` has them"
        )
    queue_event(storage, Event(answer.value, now, campaign_id=campaign_id))
