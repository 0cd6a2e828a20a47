# SPDX-License-Identifier: Apache-2.0
"""What a server answers, read: refusals and campaigns. Pure.

::

    refusal     {"code", "description", …}
    campaigns   {"campaigns": [{"id", "name", "size"?, "autoAccept",
                                "metadata": [{"type", "value"}]}]}

Source: ota-tuf's ErrorRepresentation; aktualizr's Campaign.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.errors import UptaneError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.server import Campaign
from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.json_text import parse_json

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json

MAX_REFUSAL = 64 * 1024
MAX_CAMPAIGNS_BYTES = 1024 * 1024
_MAX_CAMPAIGNS = 1000
_MAX_METADATA = 100
_MAX_WORDS = 300
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_NGINX_WANTS_A_CERTIFICATE = re.compile(rb"SSL certificate", re.IGNORECASE)


class Refusal(NamedTuple):
    """Why a server says no.

    Attributes:
        code: For programs; empty where it gives none.
        description: For people, on one line; empty where it gives none.
        is_about_certificate: Whether it does not take the one that it was shown.
    """

    code: str = ""
    description: str = ""
    is_about_certificate: bool = False


def read_refusal(status: int, body: bytes) -> Refusal:
    """Return what an answer says of its reason; whatever it is, it is understood somehow."""
    if status == 400 and _NGINX_WANTS_A_CERTIFICATE.search(body):
        return Refusal("", "it wants another client certificate", is_about_certificate=True)
    code = description = ""
    try:
        value = parse_json(body, MAX_REFUSAL, "the refusal")
    except UptaneError:
        value = None
    if isinstance(value, dict):
        told = value.get("code")
        code = told if isinstance(told, str) and _CODE.fullmatch(told) else ""
        description = one_line(value.get("description"))
    lower = code.lower()
    about = status == 401 or (status == 403 and ("certificate" in lower or "revoked" in lower))
    return Refusal(code, description, about)


def one_line(value: Json) -> str:
    """Return text of a stranger as it may be shown; empty for what is none."""
    if not isinstance(value, str):
        return ""
    return _UNSHOWN.sub(" ", value[: 4 * _MAX_WORDS]).strip()[:_MAX_WORDS]


def read_campaigns(body: bytes) -> tuple[Campaign, ...]:
    """Read campaigns.

    Raises:
        MetadataInvalid: They are none.
        MetadataTooLarge: There is more than may be read.
    """
    what = "the list of campaigns"
    fields = Fields(parse_json(body, MAX_CAMPAIGNS_BYTES, what), what)
    return tuple(_campaign(one) for one in fields.array("campaigns", _MAX_CAMPAIGNS))


def _campaign(value: Json) -> Campaign:
    fields = Fields(value, "a campaign")
    campaign_id = fields.text("id")
    if not campaign_id or one_line(campaign_id) != campaign_id:
        raise MetadataInvalid("a campaign has no id that can be used")
    more: dict[str, str] = {}
    for one in fields.array("metadata", _MAX_METADATA) if fields.has("metadata") else []:
        entry = Fields(one, f"metadata of the campaign {campaign_id}")
        more.setdefault(entry.text("type"), entry.text("value"))
    return Campaign(
        campaign_id,
        one_line(fields.text("name")),
        fields.integer("size") if fields.has("size") else None,
        fields.boolean("autoAccept") if fields.has("autoAccept") else False,
        one_line(more.get("DESCRIPTION")),
        _seconds(more.get("ESTIMATED_PREPARATION_DURATION")),
        _seconds(more.get("ESTIMATED_INSTALLATION_DURATION")),
    )


def _seconds(text: str | None) -> int | None:
    """Parse a duration: seconds, or 01:30:00."""
    if text is None:
        return None
    total = 0
    for part in text.split(":", 2):
        if not _NUMBER.fullmatch(part):
            return None
        total = 60 * total + int(part)
    return total
