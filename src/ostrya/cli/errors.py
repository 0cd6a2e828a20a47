# SPDX-License-Identifier: Apache-2.0
"""Errors of the command line itself."""

from __future__ import annotations

from ostrya.errors import OstryaError


class UsageError(OstryaError):
    """The command line makes no sense.

    Attributes:
        help_text: Printed on stderr before the message; empty for none.
    """

    exit_code = 2

    def __init__(self, message: str, *, help_text: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.help_text = help_text
