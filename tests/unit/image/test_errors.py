# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.errors import ImageError
from ostrya.image import errors

ERRORS = [
    errors.LayoutError, errors.BoardError, errors.SourceError,
    errors.OutputError, errors.DiskError, errors.FlashError,
]  # fmt: skip


@pytest.mark.parametrize("kind", ERRORS)
def test_they_are_of_one_family(kind):
    assert issubclass(kind, ImageError)
    assert kind("a sentence").exit_code == 60


def test_a_conversion_tells_all_that_is_in_the_way():
    error = errors.ConversionError(("one", "two"), "a hint")
    assert isinstance(error, errors.SourceError)
    assert (error.message, error.hint, error.problems) == ("one\ntwo", "a hint", ("one", "two"))
