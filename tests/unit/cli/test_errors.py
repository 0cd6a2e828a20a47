# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.errors import UsageError


def test_usage_errors_have_a_status_of_their_own():
    assert UsageError("x").exit_code == 2
    assert UsageError("x").help_text == ""
