# SPDX-License-Identifier: Apache-2.0
"""What cannot be put into an image."""

from __future__ import annotations

from ostrya.errors import FormatError


class ErofsError(FormatError):
    """A tree holds something that an image cannot hold, or too much of it."""
