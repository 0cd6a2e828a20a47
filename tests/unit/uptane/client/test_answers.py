# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.client.answers import Refusal, one_line, read_campaigns, read_refusal
from ostrya.uptane.client.server import Campaign
from ostrya.uptane.errors import MetadataInvalid, MetadataTooLarge


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (409, b'{"code":"taken","description":"it is"}', Refusal("taken", "it is")),
        (500, b"<html>", Refusal()),
        (500, b"", Refusal()),
        (500, b"[]", Refusal()),
        (500, b'{"code":["x"],"description":7}', Refusal()),
        (500, b'{"code":"a\\nb","description":"a\\nb\\u202ec"}', Refusal("", "a b c")),
        (500, b'{"code":"' + b"x" * 70_000 + b'"}', Refusal()),
        (401, b"", Refusal("", "", is_about_certificate=True)),
        (403, b'{"code":"certificate_revoked"}', Refusal("certificate_revoked", "", True)),
        (403, b'{"code":"forbidden"}', Refusal("forbidden")),
        (
            400, b"<center>No required SSL certificate was sent</center>",
            Refusal("", "it wants another client certificate", True),
        ),
        (400, b'{"code":"bad"}', Refusal("bad")),
    ],
)  # fmt: skip
def test_refusals(status, body, refusal):
    assert read_refusal(status, body) == refusal


def test_one_line():
    assert one_line("a\x1b[31mb\x00") == "a [31mb"
    assert len(one_line("x" * 10_000)) == 300
    assert one_line(5) == ""


def listed(*campaigns: object) -> bytes:
    return json.dumps({"campaigns": campaigns}).encode()


def test_campaigns():
    full = {
        "id": "c1", "name": "Winter", "size": 5, "autoAccept": True, "more": 1,
        "metadata": [
            {"type": "DESCRIPTION", "value": "snow"},
            {"type": "ESTIMATED_PREPARATION_DURATION", "value": "00:10:00"},
            {"type": "ESTIMATED_INSTALLATION_DURATION", "value": "90"},
        ],
    }  # fmt: skip
    assert read_campaigns(listed(full, {"id": "c2", "name": ""})) == (
        Campaign("c1", "Winter", 5, True, "snow", 600, 90),
        Campaign("c2", ""),
    )
    odd = {"id": "c", "name": "", "metadata": [
        {"type": "ESTIMATED_PREPARATION_DURATION", "value": "soon"}]}  # fmt: skip
    assert read_campaigns(listed(odd))[0].preparation_s is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"campaigns": {}}', listed(1), listed({"name": "x"}),
        listed({"id": "", "name": "x"}), listed({"id": "a\nb", "name": "x"}),
        listed({"id": "c", "name": "x", "size": "5"}), listed(*[{"id": "c", "name": ""}] * 1001),
        listed({"id": "c", "name": "x", "metadata": [{"type": "DESCRIPTION"}]}),
    ],
)  # fmt: skip
def test_no_campaigns(body):
    with pytest.raises(MetadataInvalid):
        read_campaigns(body)


def test_too_many():
    with pytest.raises(MetadataTooLarge):
        read_campaigns(b" " * (1 << 20) + b"{}")
