# SPDX-License-Identifier: Apache-2.0
"""The tables. Times are seconds since 1970, UTC; JSON is kept as text, as it came."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

# Every constraint has a name, by which a later step can change it.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_ID = BigInteger().with_variant(Integer(), "sqlite")
_OPEN = text("state IN ('pending', 'downloading', 'installing', 'applied')")


def _device(*, primary_key: bool = False, index: bool = False) -> Column[str]:
    return Column(
        "device_id",
        Text,
        ForeignKey("devices.id", ondelete="CASCADE"),
        primary_key=primary_key,
        index=index,
        nullable=False,
    )


devices = Table(
    "devices",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("last_seen", BigInteger),
    Column("primary_serial", Text, nullable=False, server_default=""),
    Column("attacks", Text, nullable=False, server_default=""),
    # Digest of what shows that the same device asks again, before it has a certificate.
    Column("claim", Text, nullable=False, server_default=""),
)
certificates = Table(
    "certificates",
    METADATA,
    Column("serial", Text, primary_key=True),
    Column("name", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    Column("reason", Text, nullable=False, server_default=""),
)
ecus = Table(
    "ecus",
    METADATA,
    Column("serial", Text, primary_key=True),
    _device(index=True),
    Column("hardware_id", Text, nullable=False),
    Column("keytype", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("last_counter", BigInteger),
    Column("report_digest", Text, nullable=False, server_default=""),
    Column("image", Text, nullable=False, server_default=""),
    Column("image_length", BigInteger, nullable=False, server_default="0"),
    Column("image_sha256", Text, nullable=False, server_default=""),
    Column("reported", BigInteger),
    # An ECU that was taken out; its serial is not free for another device.
    Column("removed", BigInteger),
)
assignments = Table(
    "assignments",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    _device(index=True),
    Column("ecu", Text, nullable=False),
    Column("hardware_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("uri", Text, nullable=False, server_default=""),
    Column("correlation_id", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Index("ix_assignments_open", "ecu", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)
director_files = Table(
    "director_files",
    METADATA,
    _device(primary_key=True),
    Column("role", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("root_version", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
installation_reports = Table(
    "installation_reports",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    _device(index=True),
    Column("received", BigInteger, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("success", Boolean),
    Column("code", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("body", Text, nullable=False),
)
events = Table(
    "events",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("uuid", Text, nullable=False),
    _device(index=True),
    Column("received", BigInteger, nullable=False),
    Column("device_time", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("ecu", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("success", Boolean),
    Column("body", Text, nullable=False),
    UniqueConstraint("device_id", "uuid"),
)
device_data = Table(
    "device_data",
    METADATA,
    _device(primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
groups = Table(
    "groups",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("created", BigInteger, nullable=False),
)
group_devices = Table(
    "group_devices",
    METADATA,
    Column("group_name", Text, ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True),
    _device(primary_key=True, index=True),
)
campaigns = Table(
    "campaigns",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("installation_s", BigInteger, nullable=False, server_default="0"),
    Column("preparation_s", BigInteger, nullable=False, server_default="0"),
    Column("auto_accept", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("mode", Text, nullable=False, server_default="offer"),
    Column("waves", Text, nullable=False, server_default=""),
    Column("wave", BigInteger, nullable=False, server_default="1"),
    Column("failures", Text, nullable=False, server_default=""),
    Column("advance", BigInteger, nullable=False, server_default="100"),
    Column("counted_from", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
)
campaign_devices = Table(
    "campaign_devices",
    METADATA,
    Column("campaign_id", Text, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    _device(primary_key=True, index=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("updated", BigInteger, nullable=False),
    Column("wave", BigInteger, nullable=False, server_default="1"),
)
tokens = Table(
    "tokens",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("may", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
# What a running server has to forget, whoever changed it.
changes = Table(
    "changes",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("device_id", Text, nullable=False),
    sqlite_autoincrement=True,
)
