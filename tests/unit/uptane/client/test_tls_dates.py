# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ostrya.fetch.exchange_options import ExchangeOptions
from ostrya.uptane.client import tls_dates
from ostrya.uptane.client.tls_dates import Validity, fault_of, find_date_fault
from support.fleet_ca import FleetCa

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Validity("the certificate", START, START + 10 * DAY)


def test_within_its_days_there_is_none():
    assert fault_of([ONE], START) is None
    assert fault_of([ONE], START + 10 * DAY) is None
    assert fault_of([], START) is None


def test_before_and_after():
    early = fault_of([ONE], datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC))
    assert early.is_early
    assert early.words == (
        "the clock says 1970-01-01T00:00:09Z, and the certificate is valid from"
        " 2026-01-01T00:00:00Z"
    )
    late = fault_of([ONE], START + 11 * DAY)
    assert not late.is_early
    assert late.words == (
        "the certificate was valid until 2026-01-11T00:00:00Z, and the clock says"
        " 2026-01-12T00:00:00Z"
    )


def at(monkeypatch, moment: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return moment.astimezone(tz)

    monkeypatch.setattr(tls_dates, "datetime", Clock)


def test_the_authority_is_looked_at_first(gateway, monkeypatch):
    at(monkeypatch, datetime(1970, 1, 1, tzinfo=UTC))
    found = find_date_fault(f"{gateway.url}/x", ExchangeOptions(gateway.ca_path))
    assert found.is_early
    assert "the authority's certificate is valid from" in found.words


def test_then_what_the_server_shows(gateway):
    options = ExchangeOptions(gateway.ca_path)
    assert find_date_fault(f"{gateway.url}/x", options) is None
    gateway.serve_as(gateway.ca.issue("gateway", days=-1))
    found = find_date_fault(f"{gateway.url}/x", options)
    assert not found.is_early
    assert "the certificate of localhost was valid until" in found.words
    # Through a proxy, only the proxy could be seen.
    assert find_date_fault(f"{gateway.url}/x", options._replace(proxy="http://p:1")) is None


@pytest.mark.parametrize(
    "content", [b"", b"no PEM", FleetCa().pem + FleetCa().pem], ids=["empty", "text", "two"]
)
def test_authorities_that_say_nothing(gateway, monkeypatch, tmp_path, content):
    at(monkeypatch, datetime(1970, 1, 1, tzinfo=UTC))
    path = tmp_path / "ca"
    path.write_bytes(content)
    for one in (path, tmp_path / "none"):
        found = find_date_fault(f"{gateway.url}/x", ExchangeOptions(str(one)))
        assert "the certificate of localhost is valid from" in found.words


def test_what_is_no_address(gateway):
    for url in ("http://localhost/", "https:///x"):
        assert find_date_fault(url, ExchangeOptions(gateway.ca_path)) is None
