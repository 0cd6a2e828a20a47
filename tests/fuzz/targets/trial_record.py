# SPDX-License-Identifier: Apache-2.0
"""The record of a trial, as lines of variables."""

from __future__ import annotations

from ostrya.boot.errors import TrialStateInvalid
from ostrya.boot.trial import VARIABLES, Record


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read; what is written again says the same."""
    lines = data.decode(errors="replace").split("\n")
    variables = dict(zip(VARIABLES, lines, strict=False))
    try:
        record = Record.from_variables(variables)
    except TrialStateInvalid as exc:
        return exc
    assert Record.from_variables(record.to_variables()) == record
    return record
