# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.campaigns import CampaignAnswer, answer_campaign
from ostrya.uptane.client.event_queue import oldest_events
from ostrya.uptane.errors import ConfigError
from support.ota_device import NOW


@pytest.mark.parametrize("answer", list(CampaignAnswer))
def test_an_answer_is_an_event(storage, answer):
    answer_campaign(storage, "c-1", answer, NOW)
    ((_, event),) = oldest_events(storage, 9)
    assert event["eventType"] == {"id": answer.value, "version": 0}
    assert event["event"]["campaignId"] == "c-1"


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 301])
def test_what_is_no_id_is_refused(storage, name):
    with pytest.raises(ConfigError, match="is no id of a campaign"):
        answer_campaign(storage, name, CampaignAnswer.ACCEPT, NOW)
    assert oldest_events(storage, 9) == ()
