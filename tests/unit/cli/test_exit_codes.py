# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal

import pytest

from ostrya.cli.errors import UsageError
from ostrya.cli.exit_codes import Terminated, exit_status
from ostrya.errors import FormatError, IntegrityError, OstryaError, RepoError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OstryaError("x"), 1),
        (UsageError("x"), 2),
        (FormatError("x"), 10),
        (IntegrityError("x"), 11),
        (RepoError("x"), 20),
        (OSError(2, "x"), 1),
    ],
)
def test_by_family(error, status):
    assert exit_status(error, drop_in=False) == status
    assert exit_status(error, drop_in=True) == 1


def test_signals():
    assert Terminated(signal.SIGTERM).status == 143
