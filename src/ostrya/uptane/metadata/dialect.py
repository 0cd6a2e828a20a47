# SPDX-License-Identifier: Apache-2.0
"""The two ways in which metadata is spelled, and the roles that there are."""

from __future__ import annotations

from enum import Enum


class Dialect(Enum):
    """How metadata is spelled."""

    UPTANE = "uptane"
    """As aktualizr and its servers do."""
    TUF = "tuf"
    """As the TUF specification 1.0 does."""


class Role(Enum):
    """A role that every repository has."""

    ROOT = "root"
    TIMESTAMP = "timestamp"
    SNAPSHOT = "snapshot"
    TARGETS = "targets"


OFFLINE_UPDATES = "offline-updates"
OFFLINE_SNAPSHOT = "offline-snapshot"
"""Roles of a Director that offers updates without a network (PURE-2); their metadata is of the
kinds Targets and Snapshot."""

SPEC_VERSION = "1.0.31"
"""Of the TUF specification; the dialect of Uptane has none."""

_UPTANE_TYPES = {role: role.value.capitalize() for role in Role}
_OFFLINE_TYPES = {Role.TARGETS: "Offline-Updates", Role.SNAPSHOT: "Offline-Snapshot"}


def type_name(dialect: Dialect, role: Role) -> str:
    """Return what ``_type`` says of metadata of a role."""
    return _UPTANE_TYPES[role] if dialect is Dialect.UPTANE else role.value


def type_names(dialect: Dialect, role: Role) -> tuple[str, ...]:
    """Return what ``_type`` may say of metadata of a kind, offline roles with it."""
    first = type_name(dialect, role)
    if dialect is Dialect.UPTANE and role in _OFFLINE_TYPES:
        return (first, _OFFLINE_TYPES[role])
    return (first,)
