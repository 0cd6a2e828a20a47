# SPDX-License-Identifier: Apache-2.0
"""The errors of the formats: all of one family, all with a sentence."""

from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.GVariantError,
        errors.ObjectFormatError,
        errors.RefNameError,
        errors.KeyFileError,
        errors.SummaryFormatError,
    ],
)
def test_every_error_is_a_format_error(kind):
    error = kind("what is wrong")
    assert isinstance(error, FormatError)
    assert error.exit_code == 10
    assert str(error) == error.message == "what is wrong"


def test_key_file_errors_say_what_kind():
    assert errors.KeyFileError("x").reason == "parse"
    assert errors.KeyFileError("x", "key-not-found").reason == "key-not-found"
