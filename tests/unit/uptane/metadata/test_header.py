# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.header import read_header

UPTANE = {"_type": "Targets", "version": 3, "expires": "2026-11-30T12:00:00Z"}
TUF = {**UPTANE, "_type": "targets", "spec_version": "1.0.19"}


def read(value, dialect=Dialect.UPTANE, role=Role.TARGETS):
    return read_header(Fields(value, "it"), dialect, role)


def test_read_and_written():
    assert read(UPTANE).to_json(Dialect.UPTANE, Role.TARGETS) == UPTANE
    assert read(TUF, Dialect.TUF).to_json(Dialect.TUF, Role.TARGETS) == TUF
    offline = {**UPTANE, "_type": "Offline-Updates"}
    assert read(offline).to_json(Dialect.UPTANE, Role.TARGETS) == offline


@pytest.mark.parametrize(
    ("value", "dialect", "why"),
    [
        ({**UPTANE, "_type": "Root"}, Dialect.UPTANE, "'Root', not 'Targets'"),
        ({**UPTANE, "_type": "targets"}, Dialect.UPTANE, "'targets', not 'Targets'"),
        ({**UPTANE, "version": 0}, Dialect.UPTANE, "0, not from 1"),
        ({**UPTANE, "version": 2**31}, Dialect.UPTANE, "not from 1"),
        ({**UPTANE, "version": True}, Dialect.UPTANE, "no integer"),
        (UPTANE, Dialect.TUF, "not 'targets'"),
        ({**TUF, "spec_version": "2.0"}, Dialect.TUF, "not 1.x"),
    ],
)
def test_refused(value, dialect, why):
    with pytest.raises(MetadataInvalid, match=why):
        read(value, dialect)
