# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.metadata.dialect import Dialect, Role, type_name, type_names


def test_names_of_types():
    assert type_name(Dialect.UPTANE, Role.TIMESTAMP) == "Timestamp"
    assert type_name(Dialect.TUF, Role.TIMESTAMP) == "timestamp"


def test_offline_roles_are_of_the_usual_kinds():
    assert type_names(Dialect.UPTANE, Role.TARGETS) == ("Targets", "Offline-Updates")
    assert type_names(Dialect.UPTANE, Role.ROOT) == ("Root",)
    assert type_names(Dialect.TUF, Role.TARGETS) == ("targets",)
