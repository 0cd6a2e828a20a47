# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from ostrya.fleet.db.database import bring_up_to_date, open_database
from ostrya.fleet.db.schema import METADATA
from ostrya.fleet.errors import SetupError


@pytest.fixture
def database(tmp_path):
    with open_database(f"sqlite:///{tmp_path}/a.db") as found:
        yield found


def test_all_steps_make_the_tables_of_this_program(database):
    assert bring_up_to_date(database)
    assert bring_up_to_date(database) == ()
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_database_of_a_newer_program(database):
    bring_up_to_date(database)
    database.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match="9999"):
        bring_up_to_date(database)
