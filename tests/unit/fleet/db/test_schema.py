# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import campaigns, devices, log, schema, tokens, updates


def test_values_have_the_columns_of_their_tables():
    """Rows become values by position."""
    for table, kind in (
        (schema.devices, devices.Device),
        (schema.certificates, devices.Certificate),
        (schema.ecus, devices.Ecu),
        (schema.assignments, updates.Assignment),
        (schema.campaigns, campaigns.Campaign),
        (schema.events, log.Event),
        (schema.installation_reports, log.Report),
        (schema.tokens, tokens.Token),
    ):
        assert tuple(table.c.keys()) == kind._fields, table.name


def test_what_belongs_to_a_device_goes_with_it():
    for table in schema.METADATA.sorted_tables:
        for key in table.foreign_keys:
            assert key.ondelete == "CASCADE", (table.name, key)
