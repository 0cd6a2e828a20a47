# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.event_queue import oldest_events


def test_the_answer_is_queued(run, config, device):
    run.ok("ota", "campaign", "accept", config, "c-1")
    with device.open() as storage:
        ((_, event),) = oldest_events(storage, 9)
    assert event["eventType"]["id"] == "campaign_accepted"
    assert event["event"]["campaignId"] == "c-1"


def test_one_is_named(run, config):
    assert "one ID" in run.fails("ota", "campaign", "accept", config)
    assert "is no id" in run.fails("ota", "campaign", "accept", config, "a\nb", status=70)
