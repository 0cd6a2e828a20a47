# SPDX-License-Identifier: Apache-2.0
"""Campaigns go out in waves.

Those that were there offer their image to all devices at once, as they did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER, _TEXT = sa.BigInteger, sa.Text


def upgrade() -> None:
    """Add what is kept of waves."""
    for name, kind, usual in (
        ("mode", _TEXT, "offer"),
        ("waves", _TEXT, ""),
        ("wave", _NUMBER, "1"),
        ("failures", _TEXT, ""),
        ("advance", _NUMBER, "100"),
        ("counted_from", _NUMBER, "0"),
        ("reason", _TEXT, ""),
    ):
        column = sa.Column(name, kind(), server_default=usual, nullable=False)
        op.add_column("campaigns", column)
    wave = sa.Column("wave", sa.BigInteger(), server_default="1", nullable=False)
    op.add_column("campaign_devices", wave)
