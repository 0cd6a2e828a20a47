# SPDX-License-Identifier: Apache-2.0
"""Requests about campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fleet.api import views
from ostrya.fleet.api.devices import AFTER, LIMIT
from ostrya.fleet.api.messages import text_of
from ostrya.fleet.api.routes import Parameter, Spec, done, following, number, text, texts
from ostrya.fleet.api.schemas import NUMBER, TEXT, TRUTH, listing, opened
from ostrya.fleet.api.updates import WHO, meant
from ostrya.fleet.db import campaigns as rows
from ostrya.fleet.domain import campaigns

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from ostrya.fleet.api.routes import Call
    from ostrya.uptane.metadata.json_text import Json, Object


def _list(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        found = rows.list_campaigns(connection, text_of(call.query, "state"))
        shown: list[Json] = [_shown(connection, one) for one in found]
    return {"campaigns": shown}


def _shown(connection: Connection, campaign: rows.Campaign) -> Object:
    return views.campaign(campaign, rows.count_campaign_devices(connection, campaign))


def _show(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        return _shown(connection, campaigns.require(connection, call.path["campaign"]))


def _devices(call: Call) -> Json:
    limit, state = call.limit, text_of(call.query, "state")
    with call.services.fleet.database.read() as connection:
        campaign = campaigns.require(connection, call.path["campaign"])
        where = {"state": state} if state else {}
        found = rows.campaign_devices(
            connection, campaign.id, where, after=text_of(call.query, "after"), limit=limit
        )
    shown: list[Json] = [views.campaign_device(one) for one in found]
    last = found[-1].device_id if found else ""
    return {"devices": shown, "next": following(found, limit, last)}


def _add(call: Call) -> Json:
    fields = call.fields()
    offer = campaigns.Offer(
        text(fields, "name"),
        text(fields, "target"),
        text(fields, "description", "", 10_000),
        number(fields, "installation_s", 0),
        number(fields, "preparation_s", 0),
        fields.boolean("auto_accept") if fields.has("auto_accept") else False,
        text(fields, "mode", rows.OFFER),
        texts(fields, "waves"),
        text(fields, "failures", ""),
        number(fields, "advance", 100),
    )
    done(fields)
    images, now = call.services.images.all_images(), call.services.fleet.timestamp()
    found = call.services.fleet.database.write(
        lambda connection: campaigns.create(connection, offer, images, now)
    )
    return views.campaign(found, ())


def _launch(call: Call) -> Json:
    fields = call.fields()
    named, group = texts(fields, "devices"), text(fields, "group", "")
    done(fields)
    now = call.services.fleet.timestamp()

    def launch(connection: Connection) -> Object:
        campaigns.require(connection, call.path["campaign"])
        found = meant(connection, named, group)
        return _shown(connection, campaigns.launch(connection, call.path["campaign"], found, now))

    return call.services.fleet.database.write(launch)


def _change(deed: Callable[[Connection, str, int], rows.Campaign]) -> Callable[[Call], Json]:
    def change(call: Call) -> Json:
        now = call.services.fleet.timestamp()
        return call.services.fleet.database.write(
            lambda connection: _shown(connection, deed(connection, call.path["campaign"], now))
        )

    return change


_OFFER: Object = {
    "name": TEXT, "target": TEXT, "description": TEXT, "installation_s": NUMBER,
    "preparation_s": NUMBER, "auto_accept": TRUTH,
    "mode": {"enum": [rows.ASSIGN, rows.OFFER], "default": rows.OFFER},
    "waves": {
        **listing(TEXT),
        "description": "How much of all has it after each wave, as 5% or 20; then come all",
    },
    "failures": {**TEXT, "description": "As many of a wave fail, and it pauses: as 10% or 3"},
    "advance": {
        "type": "integer", "minimum": 1, "maximum": 100, "default": 100,
        "description": "What percentage of a wave has to have it before the next begins",
    },
}  # fmt: skip
SPECS = (
    Spec(
        "GET", "/campaigns", "listCampaigns", "List campaigns, the newest first", _list,
        "Campaigns", query=(Parameter("state", "Only those with this state"),),
    ),
    Spec(
        "POST", "/campaigns", "addCampaign", "Make a campaign, which no device hears of yet",
        _add, "Campaign", opened(_OFFER, "name", "target"), status=201,
    ),
    Spec("GET", "/campaigns/{campaign}", "showCampaign", "Show a campaign", _show, "Campaign"),
    Spec(
        "GET", "/campaigns/{campaign}/devices", "listCampaignDevices",
        "List the devices of a campaign, and how far they are", _devices, "CampaignDevices",
        query=(AFTER, LIMIT, Parameter("state", "Only those with this state")),
    ),
    Spec(
        "POST", "/campaigns/{campaign}/launch", "launchCampaign",
        "Begin a campaign with devices; later ones take part in its last wave",
        _launch, "Campaign", opened(WHO),
    ),
    Spec(
        "POST", "/campaigns/{campaign}/pause", "pauseCampaign",
        "Let no more devices begin; those that have begun go on",
        _change(campaigns.pause), "Campaign",
    ),
    Spec(
        "POST", "/campaigns/{campaign}/resume", "resumeCampaign",
        "Let a campaign go on; failures before count no more",
        _change(campaigns.resume), "Campaign",
    ),
    Spec(
        "POST", "/campaigns/{campaign}/cancel", "cancelCampaign",
        "End a campaign; who installs already, finishes", _change(campaigns.cancel), "Campaign",
    ),
)  # fmt: skip
