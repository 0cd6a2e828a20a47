# SPDX-License-Identifier: Apache-2.0
"""The family of what cannot be put into an image."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.erofs.errors import ErofsError


def test_it_is_about_bytes():
    error = ErofsError("'x' is too long")
    assert isinstance(error, FormatError)
    assert error.exit_code == 10
