# SPDX-License-Identifier: Apache-2.0
"""Error → exit status.

Called as ``ostree`` every error is 1, as libostree's tool has it; called as ``ostrya`` the family
of the error decides, and usage errors are 2.
"""

from __future__ import annotations

from ostrya.errors import OstryaError

FAILURE = 1
INTERRUPTED = 130
BROKEN_PIPE = 141


class Terminated(BaseException):
    """A signal asked us to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def exit_status(error: Exception, *, drop_in: bool) -> int:
    """Return the status that the process ends with after an error; never zero."""
    if isinstance(error, OstryaError) and not drop_in:
        return error.exit_code
    return FAILURE
