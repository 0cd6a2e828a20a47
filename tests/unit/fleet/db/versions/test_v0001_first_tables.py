# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from ostrya.fleet.db.versions import v0001_first_tables as step


def test_it_is_the_first_and_makes_tables():
    assert step.down_revision is None
    with create_engine("sqlite://").connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            step.upgrade()
        assert {"devices", "ecus", "assignments"} <= set(inspect(connection).get_table_names())
