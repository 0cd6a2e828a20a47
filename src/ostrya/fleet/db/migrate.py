# SPDX-License-Identifier: Apache-2.0
"""Make the tables of a database those of this program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ostrya.fleet.errors import SetupError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def migrate(connection: Connection) -> tuple[str, ...]:
    """Take all steps that are missing, in the transaction that is open; return their names.

    Raises:
        SetupError: The database is of a newer program.
    """
    here = os.path.dirname(__file__)
    script = ScriptDirectory(here, version_locations=[os.path.join(here, "versions")])
    context = MigrationContext.configure(connection)
    current = context.get_current_revision()
    known = {one.revision for one in script.walk_revisions()}
    if current is not None and current not in known:
        raise SetupError(
            f"the database has the schema {current}, which this program does not know",
            hint="a newer release wrote it: install that one",
        )
    steps = list(script.iterate_revisions("head", current))
    for step in reversed(steps):
        with Operations.context(context):
            step.module.upgrade()
        context.stamp(script, step.revision)
    return tuple(step.revision for step in reversed(steps))
