# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from ostrya.fleet.db.versions import v0001_first_tables as first
from ostrya.fleet.db.versions import v0002_waves as step


def test_campaigns_that_were_there_go_on_as_they_did():
    assert step.down_revision == first.revision
    with create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            first.upgrade()
            connection.execute(
                text(
                    "INSERT INTO campaigns (id, name, target, description, auto_accept, state,"
                    " created, updated) VALUES ('c', 'n', 't', '', 0, 'launched', 1, 1)"
                )
            )
            connection.execute(
                text("INSERT INTO devices (id, created) VALUES ('d', 1)"),
            )
            connection.execute(
                text(
                    "INSERT INTO campaign_devices (campaign_id, device_id, state, updated)"
                    " VALUES ('c', 'd', 'offered', 1)"
                )
            )
            step.upgrade()
        query = text("SELECT mode, waves, wave, failures FROM campaigns")
        assert connection.execute(query).one() == ("offer", "", 1, "")
        assert connection.execute(text("SELECT wave FROM campaign_devices")).one() == (1,)
